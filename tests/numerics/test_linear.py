"""The linear product: a row's bits whatever the batch, its gradients, and the way without oneDNN."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from nmt_lstm.numerics import linear as module
from nmt_lstm.numerics.linear import laid_out, linear, trained_product
from nmt_lstm.numerics.sequence_linear import Linear, sequence_linear


@pytest.fixture(params=[True, False], ids=["onednn", "without"])
def onednn(request, monkeypatch) -> bool:
    """A machine where oneDNN's product is the fastest, and one without it."""
    if request.param and not module.onednn_product_is_available():
        pytest.skip("this machine has no oneDNN product")
    monkeypatch.setattr(module, "onednn_product_is_available", lambda: request.param)
    monkeypatch.setattr(module, "mkl_is_as_fast", lambda: False)
    return request.param


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(7,), (1, 7), (9, 7), (2, 3, 7), (2, 1, 5, 7)])
def test_it_is_the_product(onednn, shape, bias) -> None:
    torch.manual_seed(0)
    inputs, weight = torch.randn(shape), torch.randn(5, 7)
    offset = torch.randn(5) if bias else None
    expected = functional.linear(inputs, weight, offset)
    for gradients in (True, False):
        with torch.set_grad_enabled(gradients):
            result = linear(inputs, weight, offset)
        assert result.shape == (*shape[:-1], 5)
        torch.testing.assert_close(result, expected)


@pytest.mark.parametrize("sizes", [(7, 5), (39, 11), (20, 80), (64, 33)])
def test_without_gradients_a_row_has_the_same_bits_in_any_batch(onednn, sizes) -> None:
    torch.manual_seed(0)
    inputs, weight, bias = torch.randn(67, sizes[0]), torch.randn(sizes[1], sizes[0]), torch.randn(sizes[1])
    with torch.no_grad():
        expected = linear(inputs, weight, bias)
        for count in (1, 2, 3, 4, 5, 7, 8, 9, 16, 33):
            for first in (0, 31):
                rows = slice(first, first + count)
                assert torch.equal(linear(inputs[rows], weight, bias), expected[rows])
        assert torch.equal(linear(inputs[5], weight, bias), expected[5])
        assert torch.equal(linear(inputs.view(1, 67, -1), weight, bias)[0], expected)


def test_large_products_have_the_bits_of_small_ones(onednn) -> None:
    torch.manual_seed(0)
    inputs, weight = torch.randn(300, 512), torch.randn(1024, 512)
    with torch.no_grad():
        expected = linear(inputs, weight)
        for rows in (slice(0, 1), slice(290, 300), slice(7, 107)):
            assert torch.equal(linear(inputs[rows], weight), expected[rows])


def test_gradients_are_those_of_torch(onednn) -> None:
    torch.manual_seed(0)
    tensors = [torch.randn(3, 4, 7), torch.randn(5, 7), torch.randn(5)]
    found = []
    for product in (linear, functional.linear):
        leaves = [tensor.clone().requires_grad_() for tensor in tensors]
        result = product(*leaves)
        found.append(
            torch.autograd.grad(
                (result * torch.linspace(-1, 1, result.numel()).view_as(result)).sum(), leaves
            )
        )
    for seen, expected in zip(*found, strict=True):
        torch.testing.assert_close(seen, expected)


@pytest.mark.parametrize("wanted", [0, 1, 2])
def test_each_argument_alone_may_ask_for_its_gradient(onednn, wanted) -> None:
    torch.manual_seed(0)
    tensors = [torch.randn(3, 7), torch.randn(5, 7), torch.randn(5)]
    tensors[wanted].requires_grad_()
    expected = torch.autograd.grad(functional.linear(*tensors).square().sum(), tensors[wanted])
    torch.testing.assert_close(
        torch.autograd.grad(linear(*tensors).square().sum(), tensors[wanted]), expected
    )


def test_gradcheck_in_float64() -> None:
    tensors = [
        torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in ((3, 4), (5, 4), (5,))
    ]
    assert torch.autograd.gradcheck(linear, tensors)


def test_forward_and_backward_go_through_onednn_where_it_is(onednn, monkeypatch) -> None:
    used = []
    product = module._product
    monkeypatch.setattr(module, "_product", lambda *given: used.append(given) or product(*given))
    tensors = [torch.randn(shape, requires_grad=True) for shape in ((9, 4), (5, 4), (5,))]
    linear(*tensors).sum().backward()
    assert len(used) == (3 if onednn else 0)


def test_batches_of_different_rows_train_by_the_same_kernels(onednn, monkeypatch) -> None:
    if not onednn:
        pytest.skip("oneDNN's product alone makes a kernel for each shape")
    shapes = []
    product = module._product
    monkeypatch.setattr(
        module,
        "_product",
        lambda *given: shapes.append([each.shape for each in given[:2]]) or product(*given),
    )
    found = []
    for rows in (57, 61):
        tensors = [torch.randn(shape, requires_grad=True) for shape in ((rows, 4), (5, 4), (5,))]
        (linear(*tensors) * torch.arange(rows)[:, None]).sum().backward()
        found.append(tuple(shapes))
        shapes.clear()
        expected = [tensor.detach().clone().requires_grad_() for tensor in tensors]
        (functional.linear(*expected) * torch.arange(rows)[:, None]).sum().backward()
        for tensor, other in zip(tensors, expected, strict=True):
            torch.testing.assert_close(tensor.grad, other.grad, rtol=1e-4, atol=1e-3)
    assert len(found[0]) == 3
    assert found[0] == found[1]


def test_training_goes_through_mkl_where_that_is_as_fast(monkeypatch) -> None:
    monkeypatch.setattr(module, "mkl_is_as_fast", lambda: True)
    monkeypatch.setattr(module, "_product", lambda *_: pytest.fail("made a kernel of oneDNN"))
    inputs, weight = torch.randn(9, 4), torch.randn(5, 4, requires_grad=True)
    linear(inputs, weight).sum().backward()
    torch.testing.assert_close(weight.grad, inputs.sum(0).expand(5, 4))
    assert torch.equal(trained_product(inputs, weight.detach().t()), inputs @ weight.detach().t())
    assert laid_out(weight) is weight


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_the_product_of_training_takes_operands_in_any_layout(onednn, dtype) -> None:
    left, right = torch.randn(9, 4, dtype=dtype), torch.randn(4, 5, dtype=dtype)
    expected = left @ right
    for first in (left, left.t().contiguous().t()):
        for second in (right, laid_out(right), right.t().contiguous().t()):
            torch.testing.assert_close(trained_product(first, second), expected)


def test_autocast_and_other_dtypes_take_torchs_product(onednn) -> None:
    inputs, weight, bias = torch.randn(9, 7), torch.randn(5, 7), torch.randn(5)
    with torch.autocast("cpu", torch.bfloat16):
        assert linear(inputs, weight, bias).dtype == torch.bfloat16
    result = linear(inputs.bfloat16(), weight.bfloat16(), bias.bfloat16())
    assert result.dtype == torch.bfloat16
    torch.testing.assert_close(result.float(), functional.linear(inputs, weight, bias), rtol=0.05, atol=0.2)


@pytest.mark.parametrize("gradients", [True, False])
def test_nothing_in_is_nothing_out(onednn, gradients) -> None:
    with torch.set_grad_enabled(gradients):
        assert linear(torch.zeros(0, 7), torch.zeros(5, 7)).shape == (0, 5)
        assert linear(torch.zeros(2, 0, 7), torch.zeros(5, 7), torch.zeros(5)).shape == (2, 0, 5)
        assert linear(torch.zeros(3, 0), torch.zeros(5, 0)).tolist() == [[0.0] * 5] * 3


def test_inputs_need_not_lie_in_one_piece(onednn) -> None:
    inputs, weight = torch.randn(7, 3, 4).transpose(0, 2), torch.randn(7, 5).t()
    expected = functional.linear(inputs, weight)
    torch.testing.assert_close(linear(inputs, weight), expected)
    inputs.requires_grad_()
    torch.testing.assert_close(linear(inputs, weight), expected)


@pytest.mark.parametrize("answer", [None, RuntimeError("not built"), torch.zeros(2, 4)])
def test_a_onednn_that_is_missing_or_answers_wrongly_is_not_used(monkeypatch, answer) -> None:
    def product(*_):
        if isinstance(answer, Exception):
            raise answer
        return answer

    ask = module.onednn_product_is_available.__wrapped__
    if answer is None:
        monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    else:
        monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
        monkeypatch.setattr(torch.ops.mkldnn, "_linear_pointwise", product, raising=False)
    assert not ask()


def test_the_module_is_torchs_with_this_product(onednn) -> None:
    torch.manual_seed(0)
    ours, theirs = Linear(7, 5), nn.Linear(7, 5)
    theirs.load_state_dict(ours.state_dict())
    inputs = torch.randn(2, 3, 7)
    torch.testing.assert_close(ours(inputs), theirs(inputs))
    with torch.no_grad():
        assert torch.equal(ours(inputs)[0, :1], ours(inputs[0, :1]))


def test_shapes_that_do_not_fit_are_named(onednn) -> None:
    with pytest.raises(ValueError, match=r"\(2, 3\) and weight \(4, 5\)"):
        linear(torch.ones(2, 3), torch.ones(4, 5))
    with torch.autocast("cpu", torch.bfloat16), pytest.raises(ValueError, match=r"\(4, 5\)"):
        sequence_linear(torch.ones(1, 2, 3), torch.ones(4, 5), None)
    with pytest.raises(ValueError, match=r"\(2, 3\) @ \(4, 5\)"):
        trained_product(torch.ones(2, 3), torch.ones(4, 5))
