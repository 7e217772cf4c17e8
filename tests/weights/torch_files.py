"""Files as PyTorch writes them, made without PyTorch."""

import collections
import io
import pickle
import struct
import zipfile

from jaxtrack.weights.pickles import formats


class Stub:
    """Pickles as a name of another library, called with arguments."""

    def __init__(self, name, *args):
        self.name, self.args = name, args


class Writer(pickle._Pickler):
    """Writes what PyTorch would: tensors by a named function, storages by reference."""

    def __init__(self, file, storages):
        super().__init__(file, protocol=2)
        self.storages = storages

    def persistent_id(self, thing):
        if isinstance(thing, tuple) and thing and thing[0] == "STORAGE":
            _, kind, key, count = thing
            tail = (None,) if self.storages == "legacy" else ()
            return ("storage", Stub(f"torch {kind}"), key, "cpu", count, *tail)
        return None

    def save(self, thing, *args, **kwargs):
        if isinstance(thing, Stub):
            module, name = thing.name.split(" ")
            self.write(pickle.GLOBAL + f"{module}\n{name}\n".encode())
            if thing.args:
                self.save(thing.args)
                self.write(pickle.REDUCE)
            return
        super().save(thing, *args, **kwargs)


def tensor(key, shape, strides, offset=0, count=12, kind="FloatStorage"):
    storage = ("STORAGE", kind, key, count)
    hooks = collections.OrderedDict()
    return Stub(
        "torch._utils _rebuild_tensor_v2", storage, offset, shape, strides, False, hooks
    )


def write(path, content, numbers, form):
    """Writes `content` with the storages `numbers`, {key: array}."""

    def dump(thing):
        buffer = io.BytesIO()
        Writer(buffer, form).dump(thing)
        return buffer.getvalue()

    if form == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("model/data.pkl", dump(content))
            archive.writestr("model/byteorder", "little")
            for key, array in numbers.items():
                archive.writestr(f"model/data/{key}", array.tobytes())
        return path
    head = [formats.LEGACY_MAGIC, formats.LEGACY_PROTOCOL, {"little_endian": True}]
    parts = [dump(thing) for thing in (*head, content, list(numbers))]
    for array in numbers.values():
        parts += [struct.pack("<q", array.size), array.tobytes()]
    path.write_bytes(b"".join(parts))
    return path
