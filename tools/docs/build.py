"Build docs/ from nbs/ with Sphinx and MyST-NB: `make docs`"
import ast,json,re,shutil,sys,tempfile
from pathlib import Path

from execnb.nbio import read_nb
from nbdev.config import get_config
from sphinx.cmd.build import build_main

from check_site import check_site
from entries import entries,public_names

HERE,cfg = Path(__file__).parent,get_config()
# The sidebar: what a reader wants to do, and the chapters that say how
SECTIONS = {
    '': ['start.ipynb', 'coming_from_fastai.ipynb'],
    'Learn the ideas': ['concepts/*.ipynb'],
    'Follow a task': ['tutorials/*.ipynb'],
    'Open files': ['00_dicom_load.ipynb', '40_series.ipynb', '45_annotations.ipynb'],
    'Choose the gray levels': ['10_histogram_scaling.ipynb', '20_windowing.ipynb'],
    'Find and cut out': ['30_masks.ipynb'],
    'Make training data': ['52_look.ipynb', '50_prepare.ipynb', '55_privacy.ipynb'],
    'Train': ['60_learn.ipynb', '70_fastai_compat.ipynb'],
    'The rest': ['99_all.ipynb', 'how_fast.ipynb', 'contributing.md']}
# Folders whose pages stand below a chapter, folded
PARTS = {
    '00_dicom_load': ['files', 'decoding', 'pixels', 'tables'], '20_windowing': ['contrast'],
    '30_masks': ['regions'], '40_series': ['volumes'], '45_annotations': ['labels'],
    '50_prepare': ['pipeline', 'run'], '55_privacy': ['privacy'], '60_learn': ['training'],
    '99_all': ['arrays', 'testing', 'view']}
UNUSED = ['.buildinfo', '_sources', '_static/**/*.map', '_static/locales', '_static/scripts/fontawesome.js*',
    '_static/images/logo_*', '_static/*macros.html']
TAGS = {'echo: false': 'remove-input', 'hide_input': 'remove-input', 'output: false': 'remove-output',
    'hide_output': 'remove-output', 'code-fold: true': 'hide-input'}

def page(path):
    "The page of a notebook, as in nbdev's index of symbols: pixels/01_decode is pixels/decode.html"
    return path.with_name(re.sub(r'^\d+\w*?_', '', path.name))

def module_file(module): return cfg.lib_path/f"{module.replace('.', '/')}.py"

def directives(src):
    "nbdev's directives at the top of a cell, and the source without them"
    lines = src.splitlines()
    n = next((i for i,o in enumerate(lines) if o.strip() and not o.startswith('#|')), len(lines))
    return [o[2:].strip() for o in lines[:n] if o.strip()],'\n'.join(lines[n:])

def only_imports(src): return all(isinstance(o, (ast.Import,ast.ImportFrom)) for o in ast.parse(src).body)

def fits_column(src): return all(len(line)<=88 for line in src.splitlines())

def markdown_cell(src): return dict(cell_type='markdown', metadata={}, source=src)

def code_cells(cell, heading, public):
    "What the site shows of a code cell: nothing, the cell, or the entries of what it defines and its code folded"
    marks,src = directives(''.join(cell.source))
    words = {o.split()[0] for o in marks}
    if not src or words & {'hide','default_exp','exporti'} or 'export' in words and only_imports(src): return []
    made = entries(src, public) if 'export' in words else []
    tags = [t for o,t in TAGS.items() if o in marks]
    constant = any('{py:data}' in o for o in made) and fits_column(src)      # it explains itself
    if 'export' in words and not constant: tags.append('hide-input')
    alts = [o.split(':', 1)[1].strip(' "\'') for o in marks if o.startswith('fig-alt')]
    alt = alts[0] if alts else f'What the code above draws: {heading}'
    outputs = [dict(o) for o in cell.get('outputs', [])]
    metadata = dict(tags=tags, mystnb=dict(image=dict(alt=alt)))
    shown = dict(cell_type='code', execution_count=None, metadata=metadata, source=src, outputs=outputs)
    return [*map(markdown_cell, made), shown]

def fix_links(src):
    "Links to notebooks and to CONTRIBUTING.md, as the pages are called here"
    src = re.sub(r'(\]\((?:[\w.]+/)*)\d+\w*?_(\w+\.ipynb)', r'\1\2', src)
    return re.sub(r'(\]\((?:\.\./)*)\.\./CONTRIBUTING.md', r'\1contributing.md', src)

def links(path):
    "Where the notebook `path` can be run and had"
    blob = f'{cfg.user}/{cfg.repo}/blob/{cfg.branch}/{cfg.nbs_path.name}/{path.as_posix()}'
    raw = f"https://raw.githubusercontent.com/{blob.replace('/blob/', '/')}"
    return (f'<p class="nb-links"><a href="https://colab.research.google.com/github/{blob}">Open in Colab</a> '
        f'<a href="{raw}" download>Download notebook</a> <a href="https://github.com/{blob}">View on GitHub</a></p>')

def staged(path):
    "The notebook `path`, relative to nbs/, as MyST-NB shall see it"
    cells,heading,module = [],'',None
    for c in read_nb(cfg.nbs_path/path).cells:
        src = ''.join(c.source)
        if m := re.match(r'#\| default_exp (\S+)', src): module = m[1]
        if c.cell_type=='code': cells += code_cells(c, heading, public_names(module_file(module)) if module else [])
        elif c.cell_type=='markdown':
            heading = (re.findall(r'^#+ (.*)', src, re.M) or [heading])[-1].replace('`', '')
            cells.append(markdown_cell(fix_links(src)))
    top = re.match(r'# .*\n*(>.*\n*)?', cells[0]['source'])
    declared = f':::{{py:module}} {cfg.lib_name}.{module}\n:::\n\n' if module else ''
    head, rest = f'{top[0]}\n\n{links(path)}\n\n{declared}', cells[0]['source'][top.end():]
    cells[:1] = [markdown_cell(o) for o in (head, rest) if o]
    metadata = dict(language_info=dict(name='python', pygments_lexer='python'))
    return dict(cells=cells, metadata=metadata, nbformat=4, nbformat_minor=4)

def toctree(names, *head): return '\n'.join(['```{toctree}', ':hidden:', *head, *names, '```'])

def matches(paths, pattern): return [p for p in paths if p.match(pattern) and len(p.parts)==pattern.count('/')+1]

def toctrees(paths):
    "Hidden tables of contents, from which the sidebar is made"
    for caption, patterns in SECTIONS.items():
        names = [page(p).with_suffix('').as_posix() for pattern in patterns for p in matches(paths, pattern)]
        head = [f':caption: {caption}', ''] if caption else ['', 'Home <self>']
        if names or not caption: yield toctree(names, *head)

def parts(chapter, paths):
    "Hidden table of contents of the parts that stand below a chapter"
    folders = PARTS.get(chapter.stem, []) if len(chapter.parts)==1 else []
    names = [page(p).with_suffix('').as_posix() for folder in folders for p in matches(paths, f'{folder}/*.ipynb')]
    return [toctree(names, '')] if names else []

def check_places(paths):
    "Every page must have a place in the sidebar"
    listed = {p for patterns in SECTIONS.values() for pattern in patterns for p in matches(paths, pattern)}
    listed |= {p for folders in PARTS.values() for folder in folders for p in matches(paths, f'{folder}/*.ipynb')}
    missing = [p.as_posix() for p in paths if p not in listed and p.name!=cfg.readme_nb]
    if missing: sys.exit(f"no place in the sidebar (SECTIONS and PARTS of tools/docs/build.py): {', '.join(missing)}")

def stage(dst):
    "Write to `dst` what Sphinx reads"
    fns = sorted(o.relative_to(cfg.nbs_path) for o in cfg.nbs_path.rglob('*.ipynb'))
    fns = [o for o in fns if not any(p[0] in '._' for p in o.parts)]
    check_places(fns)
    for fn in fns:
        nb, out = staged(fn), dst/page(fn)
        if fn.name==cfg.readme_nb: nb['cells'] += map(markdown_cell, toctrees([*fns, Path('contributing.md')]))
        nb['cells'] += map(markdown_cell, parts(fn, fns))
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(nb))
    shutil.copy(cfg.config_path/'CONTRIBUTING.md', dst/'contributing.md')
    if (static := cfg.config_path/'static').exists(): shutil.copytree(static, dst.parent/'static')

def drop_unused(out):
    "Take away what no page needs; the icons come from a style sheet, so that a script of 1.5 MB can go"
    for o in sorted({o for pattern in UNUSED for o in out.glob(pattern)}):
        if o.is_dir(): shutil.rmtree(o)
        else: o.unlink()
    script = r'<(script|link)[^>]*fontawesome\.js[^>]*>(</script>)?\n?'
    for o in out.rglob('*.html'): o.write_text(re.sub(script, '', o.read_text()))

def build():
    "Build from an empty folder, so that the result depends on the sources alone, and put it into docs/ if it is sound"
    with tempfile.TemporaryDirectory() as d:
        src,out = Path(d)/'nbs',Path(d)/'site'
        stage(src)
        options = ['-q', '-W', '--keep-going', '-c', str(HERE), '-d', f'{d}/doctrees']
        if build_main([*options, str(src), str(out)]): sys.exit('Sphinx has warned: see above')
        drop_unused(out)
        found,n = check_site(out, cfg)
        if found: sys.exit('\n'.join(['the site is not sound:', *found]))
        shutil.rmtree(cfg.doc_path, ignore_errors=True)
        shutil.copytree(out, cfg.doc_path)
    print(f'docs/: {len([*cfg.doc_path.rglob("*.html")])} pages, {n} links within the site, none broken')

if __name__=='__main__': build()
