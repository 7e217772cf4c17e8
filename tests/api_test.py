"""What the public API owes its reader, asked of the imported objects."""

import importlib
import inspect
import pathlib
import pkgutil
import subprocess
import sys

import pytest

import experiments
import jaxtrack

ROOT = pathlib.Path(__file__).resolve().parent.parent
SECONDS_TO_IMPORT = 0.05
# Functions that other programs call: theirs are the signatures.
FOREIGN = {"jaxtrack.integrations.got10k.GOT10kTracker.track"}


def modules():
    """Imports all modules of the package and of the experiments, but the configs."""
    for package in (jaxtrack, experiments):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.startswith("jaxtrack.configs"):
                yield importlib.import_module(found.name)


def members(module):
    """Yields name and function of public functions and methods written in a module."""

    def is_own(function):
        code = getattr(function, "__code__", None)
        return code is not None and code.co_filename == module.__file__

    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", "") != module.__name__:
            continue
        if inspect.isfunction(value) and is_own(value):
            yield f"{module.__name__}.{name}", value
        for method, raw in vars(value).items() if inspect.isclass(value) else ():
            if method.startswith("_") and method not in ("__init__", "__call__"):
                continue
            function = inspect.unwrap(
                getattr(raw, "fget", getattr(raw, "__func__", raw))
            )
            if is_own(function):
                yield f"{module.__name__}.{name}.{method}", function


@pytest.fixture(scope="module")
def functions():
    """Name -> public function or method, of everything."""
    return {name: f for module in modules() for name, f in members(module)}


def positional(function):
    """Parameters that may be given by position, but the instance."""
    parameters = inspect.signature(function).parameters.values()
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p for p in parameters if p.kind in kinds and p.name not in ("self", "cls")]


def test_everything_public_is_documented(functions):
    assert len(functions) > 500
    missing = [module.__name__ for module in modules() if not module.__doc__]
    missing += [name for name, function in functions.items() if not function.__doc__]
    assert not missing


def test_options_are_given_by_keyword(functions):
    """The first argument may be optional; any later one then goes by its name."""
    by_position = {}
    for name in functions.keys() - FOREIGN:
        if name.startswith("jaxtrack.models."):
            continue
        later = positional(functions[name])[1:]
        options = [p.name for p in later if p.default is not inspect.Parameter.empty]
        if options:
            by_position[name] = options
    assert not by_position


def test_keys_come_first_and_axes_are_options(functions):
    for name, function in functions.items():
        names = [parameter.name for parameter in positional(function)]
        assert "key" not in names[1:], f"{name}: key comes first"
        axis = inspect.signature(function).parameters.get("axis_name")
        if axis is not None:
            assert axis.kind == axis.KEYWORD_ONLY and axis.default is None, name


def test_functions_and_files_stay_small(functions):
    for name, function in functions.items():
        assert len(positional(function)) <= 6, f"{name}: too many positional arguments"
        length = len(inspect.getsource(function).splitlines())
        assert length <= 80, f"{name} has {length} lines"
    for package in (jaxtrack, experiments):
        for path in pathlib.Path(package.__file__).parent.rglob("*.py"):
            assert len(path.read_text().splitlines()) <= 400, f"{path}: split it"


def test_the_public_names_are_those_that_are_there():
    folders = {path.parent.name for path in (ROOT / "jaxtrack").glob("*/__init__.py")}
    assert set(jaxtrack._PACKAGES) == folders
    assert set(jaxtrack._HOMES) == set(jaxtrack.__all__)
    assert set(dir(jaxtrack)) == {*jaxtrack.__all__, *folders, "__version__"}
    for name in dir(jaxtrack):
        assert getattr(jaxtrack, name) is not None
        assert name == "__version__" or f"{name}" in jaxtrack.__dict__
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = jaxtrack.nothing


def test_importing_the_package_is_quick_and_lazy():
    script = (
        "import sys, time\n"
        "start = time.process_time()\n"
        "import jaxtrack\n"
        "print(time.process_time() - start)\n"
        "assert not {'jax', 'numpy', 'flax'} & set(sys.modules)\n"
        "assert callable(jaxtrack.metrics.ope.score)\n"
        "assert callable(jaxtrack.metrics.vot.score)\n"
        "assert 'jax' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < SECONDS_TO_IMPORT
