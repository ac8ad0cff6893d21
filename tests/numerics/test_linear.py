"""Linear products: values, gradients, and a row's bits in any batch, with oneDNN and without it."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from nmt_lstm.numerics import linear as module
from nmt_lstm.numerics import onednn as onednn_module
from nmt_lstm.numerics.linear import (
    linear,
    matmul,
    matmul_operand,
    repeated_linear,
    sum_of_rows,
    weight_and_bias_gradients,
)
from nmt_lstm.numerics.sequence_linear import sequence_linear


@pytest.fixture(params=[True, False], ids=["onednn", "without"])
def onednn(request, monkeypatch) -> bool:
    """A machine where oneDNN's product is the fastest, and one without it."""
    if request.param and not onednn_module.float32_works():
        pytest.skip("this machine has no oneDNN product")
    monkeypatch.setattr(onednn_module, "float32_works", lambda: request.param)
    monkeypatch.setattr(module, "mkl_is_as_fast", lambda: False)
    return request.param


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(7,), (1, 7), (9, 7), (2, 3, 7), (2, 1, 5, 7)])
def test_values_are_those_of_torch(onednn, shape, bias) -> None:
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
    gradients = []
    for product in (linear, functional.linear):
        leaves = [tensor.clone().requires_grad_() for tensor in tensors]
        result = product(*leaves)
        weights = torch.linspace(-1, 1, result.numel()).view_as(result)
        gradients.append(torch.autograd.grad((result * weights).sum(), leaves))
    for gradient, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(gradient, expected)


@pytest.mark.parametrize("index", [0, 1, 2])
def test_each_argument_alone_may_require_a_gradient(onednn, index) -> None:
    torch.manual_seed(0)
    tensors = [torch.randn(3, 7), torch.randn(5, 7), torch.randn(5)]
    tensors[index].requires_grad_()
    expected = torch.autograd.grad(functional.linear(*tensors).square().sum(), tensors[index])
    torch.testing.assert_close(torch.autograd.grad(linear(*tensors).square().sum(), tensors[index]), expected)


def test_gradcheck_in_float64() -> None:
    tensors = [
        torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in ((3, 4), (5, 4), (5,))
    ]
    assert torch.autograd.gradcheck(linear, tensors)


def test_forward_and_backward_use_onednn_where_it_works(onednn, monkeypatch) -> None:
    calls = []
    product = onednn_module.linear
    monkeypatch.setattr(
        onednn_module, "linear", lambda *operands: calls.append(operands) or product(*operands)
    )
    tensors = [torch.randn(shape, requires_grad=True) for shape in ((9, 4), (5, 4), (5,))]
    linear(*tensors).sum().backward()
    assert len(calls) == (3 if onednn else 0)


def test_batches_of_different_rows_use_the_same_kernels_in_training(onednn, monkeypatch) -> None:
    if not onednn:
        pytest.skip("oneDNN's product alone makes a kernel for each shape")
    shapes = []
    product = onednn_module.linear

    def linear_with_noted_shapes(inputs, weight, bias):
        shapes.append((inputs.shape, weight.shape))
        return product(inputs, weight, bias)

    monkeypatch.setattr(onednn_module, "linear", linear_with_noted_shapes)
    shapes_of_batches = []
    for rows in (57, 61):
        tensors = [torch.randn(shape, requires_grad=True) for shape in ((rows, 4), (5, 4), (5,))]
        (linear(*tensors) * torch.arange(rows)[:, None]).sum().backward()
        shapes_of_batches.append(tuple(shapes))
        shapes.clear()
        expected = [tensor.detach().clone().requires_grad_() for tensor in tensors]
        (functional.linear(*expected) * torch.arange(rows)[:, None]).sum().backward()
        for tensor, other in zip(tensors, expected, strict=True):
            torch.testing.assert_close(tensor.grad, other.grad, rtol=1e-4, atol=1e-3)
    assert len(shapes_of_batches[0]) == 3
    assert shapes_of_batches[0] == shapes_of_batches[1]


def test_training_uses_mkl_where_that_is_as_fast(monkeypatch) -> None:
    monkeypatch.setattr(module, "mkl_is_as_fast", lambda: True)
    monkeypatch.setattr(onednn_module, "linear", lambda *_: pytest.fail("made a oneDNN kernel"))
    inputs, weight = torch.randn(9, 4), torch.randn(5, 4, requires_grad=True)
    linear(inputs, weight).sum().backward()
    torch.testing.assert_close(weight.grad, inputs.sum(0).expand(5, 4))
    assert torch.equal(matmul(inputs, weight.detach().t()), inputs @ weight.detach().t())
    assert matmul_operand(weight) is weight


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_matmul_takes_operands_in_any_layout(onednn, dtype) -> None:
    left, right = torch.randn(9, 4, dtype=dtype), torch.randn(4, 5, dtype=dtype)
    expected = left @ right
    for first in (left, left.t().contiguous().t()):
        for second in (right, matmul_operand(right), right.t().contiguous().t()):
            torch.testing.assert_close(matmul(first, second), expected)


def test_autocast_and_other_dtypes_use_torchs_product(onednn) -> None:
    inputs, weight, bias = torch.randn(9, 7), torch.randn(5, 7), torch.randn(5)
    with torch.autocast("cpu", torch.bfloat16):
        assert linear(inputs, weight, bias).dtype == torch.bfloat16
    result = linear(inputs.bfloat16(), weight.bfloat16(), bias.bfloat16())
    assert result.dtype == torch.bfloat16
    torch.testing.assert_close(result.float(), functional.linear(inputs, weight, bias), rtol=0.05, atol=0.2)


@pytest.mark.parametrize("gradients", [True, False])
def test_an_empty_batch_gives_an_empty_result(onednn, gradients) -> None:
    with torch.set_grad_enabled(gradients):
        assert linear(torch.zeros(0, 7), torch.zeros(5, 7)).shape == (0, 5)
        assert linear(torch.zeros(2, 0, 7), torch.zeros(5, 7), torch.zeros(5)).shape == (2, 0, 5)
        assert linear(torch.zeros(3, 0), torch.zeros(5, 0)).tolist() == [[0.0] * 5] * 3


def test_inputs_need_not_be_contiguous(onednn) -> None:
    inputs, weight = torch.randn(7, 3, 4).transpose(0, 2), torch.randn(7, 5).t()
    expected = functional.linear(inputs, weight)
    torch.testing.assert_close(linear(inputs, weight), expected)
    inputs.requires_grad_()
    torch.testing.assert_close(linear(inputs, weight), expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("times", [1, 10])
@pytest.mark.parametrize("with_bias", [True, False])
def test_a_repeated_product_has_the_values_of_torch(dtype, times, with_bias) -> None:
    torch.manual_seed(0)
    weight, bias = torch.randn(24, 40).to(dtype), torch.randn(24).to(dtype)
    product = repeated_linear(weight, bias if with_bias else None, rows=6, times=times)
    for rows in (6, 3):
        inputs = torch.randn(rows, 40).to(dtype)
        expected = inputs.double() @ weight.double().t() + (bias.double() if with_bias else 0)
        tolerance = 0.05 if dtype == torch.bfloat16 else 1e-5
        with torch.no_grad():
            torch.testing.assert_close(product(inputs).double(), expected, rtol=tolerance, atol=tolerance)


def test_a_transposed_weight_can_be_repeated() -> None:
    weight, inputs = torch.randn(40, 24), torch.randn(6, 40)
    with torch.no_grad():
        product = repeated_linear(weight.t(), rows=6, times=10)(inputs)
    torch.testing.assert_close(product, inputs @ weight)


def test_an_error_names_shapes_that_do_not_fit(onednn) -> None:
    with pytest.raises(ValueError, match=r"\(2, 3\) and weight \(4, 5\)"):
        linear(torch.ones(2, 3), torch.ones(4, 5))
    with torch.autocast("cpu", torch.bfloat16), pytest.raises(ValueError, match=r"\(4, 5\)"):
        sequence_linear(torch.ones(1, 2, 3), torch.ones(4, 5), None)
    with pytest.raises(ValueError, match=r"\(2, 3\) @ \(4, 5\)"):
        matmul(torch.ones(2, 3), torch.ones(4, 5))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize(("left", "right"), [(24, 10), (10, 24)])
def test_gradients_of_weight_and_bias_are_summed(dtype, left, right) -> None:
    torch.manual_seed(0)
    upstream, inputs = torch.randn(50, left).to(dtype), torch.randn(50, right).to(dtype)
    expected_gradients = upstream.double().t() @ inputs.double(), upstream.double().sum(0)
    for gradient, expected in zip(
        weight_and_bias_gradients(upstream, inputs), expected_gradients, strict=True
    ):
        assert gradient.is_contiguous()
        assert gradient.dtype == dtype
        assert (gradient - expected).norm() <= (0.01 if dtype == torch.bfloat16 else 1e-5) * expected.norm()


@pytest.mark.parametrize("rows", [3, 9_000])
def test_rows_are_summed(rows) -> None:
    torch.manual_seed(0)
    values = torch.randn(rows, 12).bfloat16()
    expected = values.double().sum(0)
    torch.testing.assert_close(sum_of_rows(values).double(), expected, rtol=0.01, atol=0.01 * rows**0.5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("left", "right"), [(24, 10), (10, 24)])
def test_the_gradient_of_a_bias_can_be_left_out(dtype, left, right) -> None:
    upstream, inputs = torch.randn(50, left).to(dtype), torch.randn(50, right).to(dtype)
    for_weight, for_bias = weight_and_bias_gradients(upstream, inputs, with_bias=False)
    assert for_bias is None
    assert torch.equal(for_weight, weight_and_bias_gradients(upstream, inputs)[0])
