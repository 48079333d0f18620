"""Whole outputs in one file: every dtype and shape comes back as it went, and a file that is not ours is said to be."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from nnconform.conformance.running.outputs import OutputsError, read, write

KEY = ("mine", "mine.relu", "eager", "relu/zero/float32", "y")
TENSORS = {
    "float64": np.array([1.0, -0.0, np.nan, np.inf, 5e-324]),
    "float32": np.array([[1, 2], [3, 4]], np.float32),
    "float16": np.array([65504, -0.0], np.float16),
    "bfloat16": np.array([[0.1], [-3e38]], ml_dtypes.bfloat16),
    "int64": np.array([-(2**63), 2**63 - 1]),
    "uint8": np.array([255], np.uint8),
    "bool": np.array([True, False]),
    "complex64": np.array([1 + 2j], np.complex64),
    "float8_e4m3fn": np.array([0.5, 448], ml_dtypes.float8_e4m3fn),
    "zero-dimensional": np.array(2.5, np.float32),
    "empty": np.zeros((0, 3), np.float32),
    "a view in another order": np.arange(6.0).reshape(2, 3).T,
    "big-endian": np.array([1.5, -2.5], ">f4"),
}


def keyed(tensors):
    return {(*KEY[:3], name, "y"): tensor for name, tensor in tensors.items()}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "outputs.npz"


@pytest.fixture
def written(path):
    write(path, keyed(TENSORS))
    return path


@pytest.mark.parametrize("name", TENSORS)
def test_a_tensor_comes_back_with_its_dtype_shape_and_bits(written, name):
    got, put = read(written)[*KEY[:3], name, "y"], TENSORS[name]
    assert got.dtype == put.dtype.newbyteorder("<")
    assert got.shape == put.shape
    assert got.tobytes() == put.astype(put.dtype.newbyteorder("<")).tobytes()


def test_keys_come_back_in_their_order(written):
    assert list(read(written)) == list(keyed(TENSORS))


def test_what_is_read_cannot_be_written_to(written):
    with pytest.raises(ValueError, match="read-only"):
        read(written)[*KEY[:3], "float32", "y"][0] = 0


def test_a_file_of_nothing_has_nothing(path):
    write(path, {})
    assert read(path) == {}


def test_many_tensors_take_one_buffer_a_dtype(path):
    write(path, {(*KEY[:4], f"gradients[{n}]"): np.full(n % 7, n, np.float32) for n in range(1000)})
    assert sorted(np.load(path).files) == ["float32", "index"]
    assert read(path)[*KEY[:4], "gradients[999]"].tolist() == [999.0] * 5


def test_arrays_that_are_no_numbers_are_refused_and_leave_the_file_as_it_was(written):
    before = written.read_bytes()
    with pytest.raises(TypeError, match="dtype object: expected numbers"):
        write(written, {KEY: np.array([None])})
    assert written.read_bytes() == before
    assert [p.name for p in written.parent.iterdir()] == [written.name]


def test_a_folder_that_is_not_there_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        write(tmp_path / "none" / "outputs.npz", {KEY: np.zeros(1)})


def test_a_file_that_is_not_there_is_named(path):
    with pytest.raises(OutputsError, match=r"outputs\.npz: cannot be read: No such file"):
        read(path)


def cut_off(path):
    path.write_bytes(path.read_bytes()[:-100])


def flipped(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


def text(path):
    path.write_text("no tensors")


def emptied(path):
    path.write_bytes(b"")


def others(path):
    np.savez(path, weights=np.zeros(3))


def one_array(path):
    with path.open("wb") as file:
        np.save(file, np.zeros(3))


def shortened(path):
    members = dict(np.load(path))
    np.savez(path, **members | {"float32": members["float32"][:-4]})


def lengthened(path):
    members = dict(np.load(path))
    np.savez(path, **members | {"float32": np.append(members["float32"], np.zeros(4, np.uint8))})


def pickled(path):
    np.savez(path, index=np.array([object()], dtype=object))


def nested(path):
    np.savez(path, index=np.frombuffer(b"[" * 100_000, np.uint8))


@pytest.mark.parametrize(
    "damage",
    [cut_off, flipped, text, emptied, others, one_array, shortened, lengthened, pickled, nested],
    ids=lambda f: f.__name__,
)
def test_a_file_that_is_not_ours_or_is_damaged_is_said_to_be(written, damage):
    damage(written)
    with pytest.raises(OutputsError, match=r"outputs\.npz: not a file that nnconform wrote with --outputs, or damaged"):
        read(written)


def test_a_file_of_another_format_says_which(written):
    members = dict(np.load(written))
    index = members["index"].tobytes().replace(b'"format":1', b'"format":2')
    np.savez(written, **members | {"index": np.frombuffer(index, np.uint8)})
    with pytest.raises(OutputsError, match="format 2, expected 1"):
        read(written)
