"""Self-contained HTML reports: a page frame, tables that sort, dot plots; nothing is loaded from elsewhere."""
