"Check the size limits of the house style, for modules, notebooks, their outputs and pictures, and that figures are stored"
import hashlib,json,re,sys
from pathlib import Path

from nbdev.config import get_config

KB = 1024

def sources(nb, kind): return [''.join(o['source']) for o in nb['cells'] if o['cell_type']==kind]

def output_sizes(nb):
    "For each output its size in bytes, the lines of its text, and whether it is interactive"
    for cell in nb['cells']:
        for o in cell.get('outputs', []):
            data = o.get('data', {})
            text = ''.join(o.get('text', '' if len(data)>1 else data.get('text/plain', '')))
            yield len(json.dumps(o)),text.count('\n'),'data-bokeh=' in ''.join(data.get('text/html', ''))

def draws_unseen(cell):
    "Does the cell plot for the reader, with no output stored?"
    src = ''.join(cell['source'])
    if cell['cell_type']!='code' or cell['outputs'] or re.search(r'^#\| *(hide|export|eval: *false)', src, re.M): return False
    return re.search(r'\bplt\.|\baxs?\b|\bshow_\w+\(|^(\w+\.)?explore\(', re.sub(r'^.*import.*$', '', src, flags=re.M), re.M) is not None

def check_notebook(fn):
    "What is too large in the notebook `fn`"
    nb = json.loads(fn.read_text())
    exports = any('#| default_exp' in o for o in sources(nb, 'code'))
    size,limit = fn.stat().st_size,700*KB if exports else 1500*KB
    if size>limit: yield f'{size//KB} KB, at most {limit//KB}'
    if exports and len(nb['cells'])>80: yield f"{len(nb['cells'])} cells, at most 80"
    if exports and any('skip_exec' in o for o in sources(nb, 'raw')): yield 'skip_exec in an exporting notebook: its tests would not run'
    if any('id' not in o for o in nb['cells']): yield 'cells without ids: export would not be deterministic'
    for cell in filter(draws_unseen, nb['cells']): yield f"a figure that is not stored: run the cell that begins {cell['source'][0].strip()!r}"
    for size,lines,live in output_sizes(nb):
        if size>(600 if live else 150)*KB: yield f'an output of {size//KB} KB'
        if lines>20: yield f'an output of {lines} lines of text, at most 20'

def check_bench(path, page='how_fast.ipynb'):
    "Whether the page of measurements in the folder `path` was made from the result beside it, whose digest it shows"
    digest = hashlib.sha256((path/'bench.json').read_bytes()).hexdigest()[:16]
    outputs = [o for c in json.loads((path/page).read_text())['cells'] for o in c.get('outputs', [])]
    if digest not in json.dumps(outputs): yield f'{page}: what it shows is not from bench.json, run tools/execute.py how_fast'

def check_all():
    cfg = get_config()
    yield from check_bench(cfg.nbs_path)
    for fn in sorted(cfg.nbs_path.rglob('*.ipynb')):
        if not any(o[0] in '._' for o in fn.relative_to(cfg.nbs_path).parts): yield from (f'{fn.name}: {o}' for o in check_notebook(fn))
    for fn in sorted(cfg.lib_path.glob('[!_]*.py')):
        n = len(fn.read_text().splitlines())
        if n>300 and fn.stem!='fastai_compat': yield f'{fn.name}: {n} lines, at most 300'
    for fn in (cfg.config_path/'static').glob('*'):
        if fn.stat().st_size>300*KB: yield f'static/{fn.name}: {fn.stat().st_size//KB} KB, at most 300'

if __name__=='__main__':
    found = list(check_all())
    for o in found: print('not as it must be:', o)
    sys.exit(bool(found))
