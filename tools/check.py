"Check the rules of the house: the order of imports, names, docments, and the sizes of code, notebooks and pictures"
import ast
import hashlib
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from nbdev.config import get_config

sys.path.insert(0, str(Path(__file__).parent/'docs'))
from entries import comments, public_names  # noqa: E402

KB = 1024
# Each imports only from those before it; in a folder a notebook imports only from lower numbers.
ORDER = '''arrays testing view files dicom_load run decoding pixels privacy histogram_scaling windowing contrast
    tables regions masks volumes series labels annotations pipeline prepare look deidentify learn training
    fastai_compat all'''.split()
FREE_OF_SIZES = ['fastai_compat']      # drop-in names with the signatures of another library
MAX_LINE, MAX_FUNCTION, MAX_MODULE, MAX_CELLS, MAX_NAMES = 120, 30, 400, 80, 60
MAX_SHOWN = 88      # characters of a line in the column of the site
FUNCTIONS = ast.FunctionDef, ast.AsyncFunctionDef
ASSERTS = re.compile(r'\bassert\b|\b(?:test|assert)_\w+\(|\b(?:expect_fail|equal|exact|close|same)\(')
FASTAI_NAMES = {'windowed'}
PARTICIPLES = '''said begun drawn given lost kept found made taken left known seen shown held meant done gone bare whose
    within without wanted anywhere such meet'''.split()


# notebooks

def sources(nb, kind): return [''.join(cell['source']) for cell in nb['cells'] if cell['cell_type']==kind]

def output_sizes(nb):
    "For each output its size in bytes, the lines of its text, and whether it is interactive"
    for cell in nb['cells']:
        for out in cell.get('outputs', []):
            data = out.get('data', {})
            text = ''.join(out.get('text', '' if len(data)>1 else data.get('text/plain', '')))
            yield len(json.dumps(out)), text.count('\n'), 'data-explore=' in ''.join(data.get('text/html', ''))

def draws_unseen(cell):
    "Does the cell plot for the reader, with no output stored?"
    src = ''.join(cell['source'])
    if cell['cell_type']!='code' or cell['outputs']: return False
    if re.search(r'^#\| *(hide|export|eval: *false)', src, re.M): return False
    src = re.sub(r'^.*import.*$', '', src, flags=re.M)
    return re.search(r'\bplt\.|\baxs?\b|\bshow_\w+\(|^(\w+\.)?explore\(', src, re.M) is not None

def is_shown(src):
    "Does the site show the source of this code cell?"
    return not re.search(r'^#\| *(hide|echo: *false)', src, re.M)

def check_outputs(nb):
    outputs = [out for cell in nb['cells'] for out in cell.get('outputs', [])]
    if any(out['output_type']=='error' for out in outputs): yield 'an error is stored as output: run the notebook again'
    for size, lines, live in output_sizes(nb):
        if size>(600 if live else 150)*KB: yield f'an output of {size//KB} KB'
        if lines>20: yield f'an output of {lines} lines of text, at most 20'

def check_notebook(fn):
    "What is wrong with the notebook `fn`"
    nb = json.loads(fn.read_text())
    exports = any('#| default_exp' in src for src in sources(nb, 'code'))
    size, limit = fn.stat().st_size, 700*KB if exports else 1500*KB
    if size>limit: yield f'{size//KB} KB, at most {limit//KB}'
    if exports and len(nb['cells'])>MAX_CELLS: yield f"{len(nb['cells'])} cells, at most {MAX_CELLS}"
    if exports and any('skip_exec' in src for src in sources(nb, 'raw')):
        yield 'skip_exec in an exporting notebook: its tests would not run'
    if any('id' not in cell for cell in nb['cells']): yield 'cells without ids: export would not be deterministic'
    for cell in filter(draws_unseen, nb['cells']):
        yield f"a figure that is not stored: run the cell that begins {cell['source'][0].strip()!r}"
    for src in sources(nb, 'code'):
        if re.search(r'^#\| *export', src, re.M): continue
        yield from long_lines(src, MAX_SHOWN if is_shown(src) else MAX_LINE)
    yield from check_outputs(nb)

def used_names(src, methods=False):
    "Names that code looks up, with those of `methods` if they count"
    nodes = list(ast.walk(ast.parse(src)))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    return names | {node.attr for node in nodes if methods and isinstance(node, ast.Attribute)}

def check_shown_tests(nb, lib_path):
    "Public functions for which no cell that the site shows has an assertion"
    code = sources(nb, 'code')
    module = next((found[1] for src in code if (found := re.match(r'#\| *default_exp (\S+)', src))), None)
    if module is None: return
    path = lib_path/f"{module.replace('.', '/')}.py"
    functions = {node.name for node in ast.parse(path.read_text()).body if isinstance(node, FUNCTIONS)}
    tests = [src for src in code if is_shown(src) and ASSERTS.search(src) and not re.search(r'^#\| *export', src, re.M)]
    used = used_names('\n'.join(tests), methods=module in FREE_OF_SIZES)      # whose functions are patched as methods
    untested = functions & {*public_names(path)} - used
    if untested: yield f"no test of {', '.join(sorted(untested))} is shown: move one out of a hidden cell"

def check_numbers(nbs):
    "Two notebooks with one number in a folder"
    numbers = Counter((fn.parent, fn.name.split('_')[0]) for fn in nbs if re.match(r'\d+_', fn.name))
    for (folder, number), n in numbers.items():
        if n>1: yield f'{folder.name}/: {n} notebooks are numbered {number}'


# code

def long_lines(src, limit=MAX_LINE):
    for line in src.splitlines():
        if len(line)<=limit or line.startswith('#|'): continue         # a directive, such as fig-alt, is one line
        yield f'a line of {len(line)} characters, at most {limit}: {line.strip()[:50]!r}'

def place(module):
    "Where `module`, such as 'pixels.decode', stands in the order of imports"
    return ORDER.index(module.split('.')[0])

def notebook_number(path):
    "Number of the notebook that the module at `path` was exported from"
    found = re.search(r'File to edit: .*?(\d+)_\w+\.ipynb', path.read_text())
    return int(found[1]) if found else -1

def imports(tree, module):
    "Module, name and line of what a module takes from others of the package"
    package = module.split('.')[:-1]
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom): continue
        if node.level:
            base = package[:len(package)-(node.level-1)]
            source = '.'.join([*base, *(node.module or '').split('.')]).strip('.')
        elif (node.module or '').startswith('medical_imaging.'): source = node.module.partition('.')[2]
        else: continue
        for alias in node.names: yield source, alias.name, node.lineno

def check_imports(tree, module, numbers):
    "Imports that point the wrong way, and private names of other modules"
    for source, name, line in imports(tree, module):
        if f'{source}.{name}'.strip('.') in numbers: source = f'{source}.{name}'.strip('.')
        if name.startswith('_') and not name.startswith('__'): yield f'line {line}: imports the private {source}.{name}'
        if not source or source not in numbers or source==module: continue
        if place(source)>place(module): yield f'line {line}: imports {source}, which stands to the right of it'
        same = '.' in source and source.split('.')[0]==module.split('.')[0]
        if same and numbers[source]>=numbers[module]: yield f'line {line}: imports {source}, of no lower number'

def all_parameters(fn):
    a = fn.args
    params = [*a.posonlyargs, *a.args, a.vararg, *a.kwonlyargs, a.kwarg]
    return [p for p in params if p and p.arg not in ('self','cls')]

def is_documented(param, notes):
    "Has the parameter a comment in its line?"
    return param.lineno in notes or param.end_lineno in notes

def check_docments(fn, notes, name):
    if not ast.get_docstring(fn): yield f'{name} has no docstring'
    for param in all_parameters(fn):
        if not is_documented(param, notes): yield f'{name}: the parameter {param.arg} has no docment'
    ends = {fn.body[0].lineno-i for i in (1, 2)}
    returns = any(isinstance(node, ast.Return) and node.value is not None for node in ast.walk(fn))
    if returns and fn.returns is None and not ends & set(notes): yield f'{name}: what it returns is not documented'

def check_function(fn, module, notes, public):
    name = fn.name.strip('_')
    free = module in FREE_OF_SIZES
    first = min([fn.lineno, *(d.lineno for d in fn.decorator_list)])
    if not free and fn.end_lineno-first+1>MAX_FUNCTION:
        yield f'{fn.name} has {fn.end_lineno-first+1} lines, at most {MAX_FUNCTION}'
    participle = '_' not in name and (name in PARTICIPLES or re.search(r'[^e]ed$', name))
    is_property = any('property' in ast.unparse(mark) for mark in fn.decorator_list)     # a noun or an adjective
    if len(name)==1 or participle and name not in FASTAI_NAMES and not is_property:
        yield f'{fn.name} is no name for a function: it should say what is returned or done'
    if public and not free: yield from check_docments(fn, notes, fn.name)

def is_dataclass(node): return any('dataclass' in ast.unparse(d) for d in node.decorator_list)

def check_class(node, module, notes):
    if not ast.get_docstring(node): yield f'{node.name} has no docstring'
    for part in node.body:
        public = isinstance(part, FUNCTIONS) and not part.name.startswith('_')
        if public and 'property' not in ast.unparse(ast.Module(part.decorator_list, [])):
            yield from check_docments(part, notes, f'{node.name}.{part.name}')
        field = isinstance(part, ast.AnnAssign) and is_dataclass(node) and not part.target.id.startswith('_')
        if field and not is_documented(part, notes): yield f'{node.name}.{part.target.id} has no docment'

def check_module(path, module, numbers):
    "What is wrong with the code of one module"
    src = path.read_text()
    tree, notes = ast.parse(src), comments(src)
    n = len(src.splitlines())
    if n>MAX_MODULE and module not in FREE_OF_SIZES: yield f'{n} lines, at most {MAX_MODULE}'
    yield from long_lines('\n'.join(line for line in src.splitlines() if not line.startswith(('#','__all__'))))
    yield from check_imports(tree, module, numbers)
    top = set(tree.body)
    for node in ast.walk(tree):
        if isinstance(node, FUNCTIONS):
            public = node in top and not node.name.startswith('_')
            yield from check_function(node, module, notes, public)
    for node in tree.body:
        public = isinstance(node, ast.ClassDef) and not node.name.startswith('_')
        if public and module not in FREE_OF_SIZES: yield from check_class(node, module, notes)

def module_name(path, root): return '.'.join(path.relative_to(root).with_suffix('').parts)

def package_modules(root):
    paths = sorted(path for path in root.rglob('*.py') if path.name not in ('__init__.py','_modidx.py'))
    return {module_name(path, root): path for path in paths}

def check_code(cfg):
    modules = package_modules(cfg.lib_path)
    numbers = {name: notebook_number(path) for name, path in modules.items()}
    for name, path in modules.items():
        if name.split('.')[0] not in ORDER: yield f'{name}: it has no place in ORDER of tools/check.py'
        else: yield from (f'{name}: {found}' for found in check_module(path, name, numbers))

def check_ruff(cfg):
    "Unused imports and complexity, by ruff"
    paths = [str(path) for name, path in package_modules(cfg.lib_path).items() if name not in FREE_OF_SIZES]
    rules = ['--select', 'F401,F811,F821,C901', '--config', 'lint.mccabe.max-complexity=10']
    cmd = [sys.executable, '-m', 'ruff', 'check', '--isolated', '--no-cache', *rules, '--output-format', 'concise']
    res = subprocess.run([*cmd, *paths, str(cfg.config_path/'tools')], capture_output=True, text=True)
    if res.returncode>1: yield f'ruff: {res.stderr.strip()}'
    for line in res.stdout.splitlines():
        if re.match(r'.*:\d+:\d+: ', line): yield line.replace(f'{cfg.config_path}/', '')

def check_all_names(cfg):
    "How many names a star import from `medical_imaging.all` gives"
    names = public_names(cfg.lib_path/'all.py')
    if len(names)>MAX_NAMES: yield f'all: {len(names)} names, at most {MAX_NAMES}'


# everything

def check_bench(path, page='how_fast.ipynb'):
    "Whether the page of measurements in the folder `path` was made from the stored result, whose digest it shows"
    digest = hashlib.sha256((path/'data/bench.json').read_bytes()).hexdigest()[:16]
    outputs = [out for cell in json.loads((path/page).read_text())['cells'] for out in cell.get('outputs', [])]
    if digest not in json.dumps(outputs): yield f'{page}: it is not made from bench.json, run tools/execute.py how_fast'

def notebooks(cfg):
    found = sorted(cfg.nbs_path.rglob('*.ipynb'))
    return [fn for fn in found if not any(part[0] in '._' for part in fn.relative_to(cfg.nbs_path).parts)]

def check_assets(cfg):
    "Files in the assets of the package that a wheel would lack"
    with TemporaryDirectory() as tmp:
        cmd = [sys.executable, 'setup.py', '-q', 'build_py', '--build-lib', tmp]
        res = subprocess.run(cmd, capture_output=True, text=True, cwd=cfg.config_path)
        if res.returncode: yield f'setup.py build_py: {res.stderr.strip()[-300:]}'
        for fn in sorted((cfg.lib_path/'assets').iterdir()):
            if not (Path(tmp)/cfg.lib_name/'assets'/fn.name).is_file(): yield f'assets/{fn.name}: not in the wheel'

def check_all():
    cfg = get_config()
    yield from check_assets(cfg)
    yield from check_bench(cfg.nbs_path)
    yield from check_numbers(notebooks(cfg))
    for fn in notebooks(cfg):
        found_all = *check_notebook(fn),*check_shown_tests(json.loads(fn.read_text()), cfg.lib_path)
        yield from (f'{fn.relative_to(cfg.nbs_path)}: {found}' for found in found_all)
    yield from check_code(cfg)
    yield from check_ruff(cfg)
    yield from check_all_names(cfg)
    for fn in sorted((cfg.config_path/'tools').rglob('*.py')):
        yield from (f'{fn.relative_to(cfg.config_path)}: {found}' for found in long_lines(fn.read_text()))
    for fn in (cfg.config_path/'static').glob('*'):
        if fn.stat().st_size>300*KB: yield f'static/{fn.name}: {fn.stat().st_size//KB} KB, at most 300'

if __name__=='__main__':
    problems = list(check_all())
    for problem in problems: print('not as it must be:', problem)
    sys.exit(bool(problems))
