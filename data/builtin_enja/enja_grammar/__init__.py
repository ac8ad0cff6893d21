"""A synchronous grammar of English and Japanese: every choice is made once and spelled out in both languages."""
