"Sphinx configuration of the site, and the little that Sphinx does not do itself"
import ast
from functools import cache
from pathlib import Path

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from nbdev.config import get_config
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.logging import getLogger
from sphinx.util.nodes import make_refnode

cfg = get_config(path=Path(__file__).parent)
project,author,copyright,release = cfg.title,cfg.author,cfg.copyright,cfg.version
html_title,language = cfg.title,'en'

extensions = ['myst_nb', 'sphinx_copybutton', 'sphinx.ext.githubpages', 'sphinx.ext.linkcode']
nb_execution_mode = 'off'                  # show the outputs that are stored in the notebooks
nb_render_markdown_format = 'gfm'
nb_merge_streams = True
nb_code_prompt_show,nb_code_prompt_hide = 'Show the code','Hide the code'
myst_enable_extensions = ['alert', 'attrs_inline', 'colon_fence', 'deflist', 'dollarmath', 'tasklist']
myst_heading_anchors = 4
add_module_names = False
# a role that finds nothing is an error; return types of other packages are not
nitpicky,nitpick_ignore_regex = True,[('py:class', '.*')]
toc_object_entries_show_parents = 'hide'
copybutton_exclude = '.linenos, .gp, .go'

html_theme = 'sphinx_book_theme'
html_static_path,html_css_files = ['_static'],['site.css']
html_favicon,html_context = '_static/icon.svg',dict(default_mode='auto')
html_copy_source = html_show_sphinx = html_domain_indices = False
html_math_renderer = 'mathml'              # browsers draw it themselves: no script, no network
html_theme_options = dict(
    repository_url=cfg.git_url, repository_branch=cfg.branch, use_repository_button=True, use_issues_button=True,
    use_download_button=False, use_fullscreen_button=False, navbar_persistent=[], show_toc_level=2, show_navbar_depth=1)

@cache
def lines(module):
    "First and last line of each function, class and constant at the top level of `module`, and of methods"
    res = {}
    for node in ast.walk(ast.parse((cfg.config_path/f"{module.replace('.', '/')}.py").read_text())):
        name = node.targets[0] if isinstance(node, ast.Assign) else node
        name = getattr(name, 'name', None) or getattr(name, 'id', None)
        if name: res.setdefault(name, (node.lineno, node.end_lineno))
    return res

def linkcode_resolve(domain, info):
    "Where the source of a symbol is, for sphinx.ext.linkcode"
    first,last = lines(info['module'])[info['fullname'].split('.')[-1]]
    return f"{cfg.git_url}/blob/{cfg.branch}/{info['module'].replace('.', '/')}.py#L{first}-L{last}"

class LinkNames(SphinxPostTransform):
    "A name in backticks leads to the entry of that name"
    default_priority = 5
    def run(self):
        objects = self.env.domains.python_domain.objects
        # where a name is there and elsewhere, elsewhere counts
        first = sorted(objects.items(), key=lambda o: '.fastai_compat.' not in o[0])
        short = {k.split('.', 2)[-1]:o for k,o in first if o.objtype!='module'} | objects
        for node in list(self.document.findall(nodes.literal)):
            o = short.get(node.astext().removesuffix('()'))
            if not o or isinstance(node.parent, (nodes.reference,nodes.title)): continue
            node.replace_self(make_refnode(self.app.builder, self.env.docname, o.docname, o.node_id, node.deepcopy()))

def math(block):
    "What writes a formula, in a line or as a block"
    def visit(self, node):
        try: self.body.append(tex2mathml(node.astext().replace('°', r'^\circ'), as_block=block))
        except MathError as e: getLogger(__name__).warning('formula: %s', e, location=node)
        raise nodes.SkipNode
    return visit,None

def setup(app):
    app.add_post_transform(LinkNames)
    app.add_html_math_renderer('mathml', math(False), math(True))
    # a page opened from a disk may not read others: there the results of a search are shown without excerpts
    app.add_js_file(None, body="DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = location.protocol!='file:'")
    return dict(parallel_read_safe=True)
