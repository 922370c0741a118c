"Check a built site: its links and anchors, its images, and that each public symbol has its entry"
import ast,re
from html.parser import HTMLParser
from urllib.parse import unquote,urlsplit

from entries import public_names

class Page(HTMLParser):
    "Ids, links and images without alt text of one page"
    def __init__(self, fn):
        super().__init__()
        self.ids,self.links,self.bare = set(),[],0
        self.feed(fn.read_text(encoding='utf-8'))
    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.ids |= {attrs[o] for o in ('id','name') if attrs.get(o)}
        self.links += [attrs[o] for o in ('href','src') if attrs.get(o)]
        self.bare += tag=='img' and not attrs.get('alt')

def symbols(cfg):
    "Public symbols of the package, by module: what is in `__all__` and what is patched onto other classes"
    idx = ast.literal_eval((cfg.lib_path/'_modidx.py').read_text().split('d = ', 1)[1])['syms']
    for mod,syms in idx.items():
        fn = cfg.lib_path/f"{'/'.join(mod.split('.')[1:])}.py"
        others = re.search(r'^_all_ = (\[.*?\])', fn.read_text(), re.M|re.S)
        passed_on = set(ast.literal_eval(others[1]) if others else [])     # these have their entries elsewhere
        methods = {o[len(mod)+1:] for o in syms if '.' in o[len(mod)+1:]}
        names = methods | set(public_names(fn))-passed_on
        yield mod,sorted(o for o in names if not re.search(r'(^|\.)_', o))

def broken(fn, link, pages, root):
    "Why `link` in the page `fn` does not lead anywhere, or None"
    url = urlsplit(link)
    if url.scheme or url.netloc: return None
    to = (fn.parent/unquote(url.path)).resolve() if url.path else fn
    if not to.is_file() or root not in to.parents: return 'no such file'
    if url.fragment and to in pages and unquote(url.fragment) not in pages[to].ids: return 'no such anchor'

def check_site(root, cfg):
    "What is wrong with the site in `root`, and how many links lead within it"
    root = root.resolve()
    pages = {o:Page(o) for o in sorted(root.rglob('*.html'))}
    links = [(fn,o) for fn,p in pages.items() for o in p.links if not urlsplit(o).scheme]
    found = [f'{fn.relative_to(root)}: {o}: {why}' for fn,o in links if o!='#' and (why := broken(fn, o, pages, root))]
    found += [f'{fn.relative_to(root)}: {p.bare} images without alt text' for fn,p in pages.items() if p.bare]
    ids = {i for p in pages.values() for i in p.ids}
    found += [f'{mod}.{o} has no entry' for mod,names in symbols(cfg) for o in names if f'{mod}.{o}' not in ids]
    return found,len(links)
