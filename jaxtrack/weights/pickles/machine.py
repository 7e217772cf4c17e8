"""Reads a pickle as data: no name in it is imported or called.

`pickletools` splits the file into operations; `Machine` executes those that build
numbers, strings and containers. A name (`GLOBAL`) is only a name: its object is built
by one of the few functions of `known`, or is an `Inert` object that stores its
arguments.
"""

import pickletools
import warnings
from collections.abc import Callable, Mapping
from pickle import UnpicklingError
from typing import Any, BinaryIO

from jaxtrack.weights.pickles.values import Budget, Inert, Name, finished, is_key

MAX_OPERATIONS = 1_000_000  # A tracker with its optimizer's state has about 100,000.

Construct = Callable[[tuple[Any, ...]], Any]


class Machine:
    """Executes the operations of one pickle."""

    def __init__(
        self,
        file: BinaryIO,
        *,
        known: Mapping[str, Construct],
        refer: Callable[[Any], Any],
        budget: Budget,
    ):
        """Prepares to read.

        Args:
          file: at the pickle's start; `read(n)` must not allocate more than it has.
          known: dotted name -> constructor, called with the arguments.
          refer: returns the object of a persistent reference.
          budget: of the whole file.
        """
        self._file, self._known, self._refer = file, known, refer
        self._budget = budget
        self._stack: list[Any] = []
        self._marks: list[list[Any]] = []
        self._memo: dict[int, Any] = {}
        self.inert: dict[str, None] = {}

    def load(self) -> Any:
        """Returns the pickle's object; the file is then after the pickle.

        `inert` has the unknown names, in order.

        Raises:
          UnpicklingError, ValueError, LookupError and others: the pickle is damaged.
        """
        with warnings.catch_warnings():  # Python's, about escapes in a damaged text.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._execute()
        return self._stack.pop()

    def _execute(self):
        """Executes the operations of the file; see `load`."""
        for number, (operation, arg, _) in enumerate(pickletools.genops(self._file)):
            if number >= MAX_OPERATIONS:
                raise UnpicklingError(f"it has more than {MAX_OPERATIONS} operations")
            name = operation.name
            if name in _VALUES:
                self._stack.append(arg)
            elif name in _CONSTANTS:
                self._stack.append(_CONSTANTS[name])
            elif name in _MAKERS:
                self._stack.append(_MAKERS[name]())
            elif name in _STEPS:
                _STEPS[name](self, arg)
            elif name not in ("PROTO", "FRAME", "STOP"):
                raise UnpicklingError(f"operation {name} is not needed for weights")

    def call(self, name: Any, args: Any) -> Any:
        """Builds the object of a call.

        Args:
          name: a `Name`; anything else cannot be called.
          args: of the call, a tuple.

        Returns:
          The object built by `known`, or an `Inert`.
        """
        if not isinstance(name, Name) or not isinstance(args, tuple):
            raise UnpicklingError("it calls something that is not a function")
        if name.path in self._known:
            return self._known[name.path](args)
        return Inert(name.path, args)

    def put(self, target: Any, pairs: list[Any]) -> None:
        """Adds entries to a dict; keys of other types are left out and reported.

        Args:
          target: a dict or an `Inert`.
          pairs: key, value, key, value, ...
        """
        if not isinstance(target, dict) or len(pairs) % 2:
            raise UnpicklingError("it sets items of something that is not a dict")
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            if is_key(key):
                target[key] = finished(value)
            else:
                self.inert[f"an entry whose key is a {type(key).__name__}"] = None

    def _name(self, path):
        """Pushes a name, and records it if it is unknown."""
        if path not in self._known:
            self.inert[path] = None
        self._stack.append(Name(path))

    def _stack_name(self, _):
        """Pushes a name with its parts on the stack."""
        name, module = self._stack.pop(), self._stack.pop()
        if not (isinstance(name, str) and isinstance(module, str)):
            raise UnpicklingError("it has a name that is not a string")
        self._name(f"{module}.{name}")

    def _mark(self, _):
        """Starts a new part of the stack."""
        self._marks.append(self._stack)
        self._stack = []

    def _pop_mark(self):
        """Returns the items after the mark and removes both."""
        items, self._stack = self._stack, self._marks.pop()
        return items

    def _pop(self, _):
        """Drops an item, or a mark."""
        if self._stack:
            self._stack.pop()
        else:
            self._pop_mark()

    def _tuple(self, count):
        """Replaces the last items by a tuple."""
        if len(self._stack) < count:
            raise UnpicklingError("its stack is empty")
        self._stack[-count:] = [tuple(map(finished, self._stack[-count:]))]

    def _gather(self, container):
        """Replaces the items after the mark by a list or a tuple."""
        items = self._pop_mark()
        self._stack.append(container(map(finished, items)))

    def _dict(self, _):
        """Replaces the items after the mark by a dict."""
        pairs, target = self._pop_mark(), {}
        self.put(target, pairs)
        self._stack.append(target)

    def _append(self, items):
        """Appends items to the list below them."""
        target = self._stack[-1]
        items = [finished(item) for item in items]
        if isinstance(target, Inert):
            target.members.extend(items)
        elif isinstance(target, list):
            target.extend(items)
        else:
            raise UnpicklingError("it appends to something that is not a list")

    def _set_item(self, _):
        """Adds one entry to the dict below it."""
        value, key = self._stack.pop(), self._stack.pop()
        self.put(self._stack[-1], [key, value])

    def _set_items(self, _):
        """Adds entries to the dict below the mark."""
        pairs = self._pop_mark()
        self.put(self._stack[-1], pairs)

    def _reduce(self, _):
        """Builds an object from a name and arguments."""
        args = self._stack.pop()
        self._stack[-1] = self.call(self._stack[-1], args)

    def _new_with_keywords(self, _):
        """Builds an object from a name and arguments, without the keywords."""
        self._stack.pop()
        self._reduce(None)

    def _old_instance(self, path):
        """Builds an object from a name and the items after the mark."""
        args = tuple(self._pop_mark())
        self._name(path)
        self._stack[-1] = self.call(self._stack[-1], args)

    def _old_object(self, _):
        """Builds an object from the name after the mark and the items after it."""
        name, *args = self._pop_mark()
        self._stack.append(self.call(name, tuple(args)))

    def _build(self, _):
        """Completes an object; attributes of plain containers are dropped."""
        state = self._stack.pop()
        if hasattr(self._stack[-1], "build"):
            self._stack[-1].build(state)

    def _persistent(self, _):
        """Replaces a persistent reference by its value."""
        self._stack[-1] = self._refer(self._stack[-1])

    def _get(self, key):
        """Pushes an item of the memo."""
        self._stack.append(self._memo[key])

    def _remember(self, key):
        """Stores the last item in the memo."""
        self._memo[len(self._memo) if key is None else key] = self._stack[-1]


_VALUES = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT"),
    *("BINFLOAT", "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE"),
    *("SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
    "BYTEARRAY8",
}
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
# Sets are read as lists: their members would have to be hashed.
_MAKERS = {"EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_SET": list}
_STEPS: dict[str, Callable[[Machine, Any], None]] = {
    "GLOBAL": lambda m, arg: m._name(arg.replace(" ", ".", 1)),
    "STACK_GLOBAL": Machine._stack_name,
    "MARK": Machine._mark,
    "POP": Machine._pop,
    "POP_MARK": lambda m, _: m._pop_mark(),
    "DUP": lambda m, _: m._stack.append(m._stack[-1]),
    "TUPLE1": lambda m, _: m._tuple(1),
    "TUPLE2": lambda m, _: m._tuple(2),
    "TUPLE3": lambda m, _: m._tuple(3),
    "TUPLE": lambda m, _: m._gather(tuple),
    "LIST": lambda m, _: m._gather(list),
    "FROZENSET": lambda m, _: m._gather(list),
    "DICT": Machine._dict,
    "APPEND": lambda m, _: m._append([m._stack.pop()]),
    "APPENDS": lambda m, _: m._append(m._pop_mark()),
    "ADDITEMS": lambda m, _: m._append(m._pop_mark()),
    "SETITEM": Machine._set_item,
    "SETITEMS": Machine._set_items,
    "REDUCE": Machine._reduce,
    "NEWOBJ": Machine._reduce,
    "NEWOBJ_EX": Machine._new_with_keywords,
    "INST": lambda m, arg: m._old_instance(arg.replace(" ", ".", 1)),
    "OBJ": Machine._old_object,
    "BUILD": Machine._build,
    "BINPERSID": Machine._persistent,
    "GET": Machine._get,
    "BINGET": Machine._get,
    "LONG_BINGET": Machine._get,
    "PUT": Machine._remember,
    "BINPUT": Machine._remember,
    "LONG_BINPUT": Machine._remember,
    "MEMOIZE": Machine._remember,
}
