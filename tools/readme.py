"Make README.md from nbs/index.ipynb"
import re,sys

from execnb.nbio import read_nb
from nbdev.config import get_config

def output(cell):
    "The stored outputs of a code cell as Markdown"
    for o in cell.get('outputs', []):
        data = o.get('data', {})
        if 'text/markdown' in data: yield ''.join(data['text/markdown'])
        elif 'text/plain' in data or 'text' in o:
            text = ''.join(o.get('text') or data['text/plain']).rstrip()
            yield f'```text\n{text}\n```'

def markdown(cell, cfg):
    "One cell as Markdown, or '' if it is hidden"
    src = ''.join(cell.source).strip()
    if cell.cell_type=='markdown':
        src = re.sub(r'\]\(\.\./', '](', src)     # ../static/x.png is static/x.png from here
        link = r'\]\((\w+/)?(\d*_?)(\w+)\.ipynb(#[^)]*)?\)'
        return re.sub(link, rf']({cfg.doc_host}{cfg.doc_baseurl}/\1\3.html\4)', src)
    if not src or re.search(r'^#\|\s*hide', src, re.M): return ''
    return '\n\n'.join([f'```python\n{src}\n```', *output(cell)])

def readme():
    cfg = get_config()
    cells = [markdown(o, cfg) for o in read_nb(cfg.nbs_path/cfg.readme_nb).cells]
    head,*rest = [o for o in cells if o]
    note = '<!-- Made from nbs/index.ipynb by tools/readme.py: edit that -->'
    return '\n\n'.join([head, note, *rest]) + '\n'

if __name__=='__main__':
    fn = get_config().config_path/'README.md'
    new = readme()
    if '--check' in sys.argv:
        sys.exit('README.md is not what nbs/index.ipynb makes: run make prepare' if fn.read_text()!=new else 0)
    fn.write_text(new)
