"Execute notebooks in place, so that readers see fresh outputs: python tools/execute.py NAME..."
import json,os,re,sys
from subprocess import run

from execnb.nbio import read_nb
from execnb.shell import CaptureShell
from nbdev.clean import clean_nb,write_nb
from nbdev.config import get_config
from nbdev.doclinks import nbglob
from nbdev.processors import NBProcessor

HIDDEN = re.compile(r'^#\|\s*(hide|export|exporti|default_exp)\b', re.M)

def kept(cell, outputs):
    "What is stored of the `outputs` of a cell: nothing where it is hidden or exported, and no warnings"
    return [] if HIDDEN.search(cell.source) else [o for o in outputs if o.get('name')!='stderr']

def execute(fn, skip=()):
    "Run the cells of a notebook, store their outputs, and say whether all ran; those left out keep what they have"
    os.chdir(fn.parent)
    shell,marked = CaptureShell(fn, mpl_format='png'),NBProcessor(fn, process=True).nb
    def left_out(cell):
        marks = getattr(cell, 'directives_', {})
        return cell.cell_type=='code' and (marks.get('eval:', [''])[0]=='false' or bool(set(skip) & set(marks)))
    error = None
    try: shell.run_all(marked, exc_stop=True, preproc=left_out)
    except Exception: error = shell.prettytb(fname=fn)
    made,nb = {o.id:o for o in marked.cells},read_nb(fn)
    for o in nb.cells:
        if o.cell_type!='code' or left_out(made[o.id]): continue
        o.outputs = kept(o, json.loads(json.dumps(made[o.id].get('outputs', []))))
    clean_nb(nb)
    write_nb(nb, fn)
    if error: print(error, file=sys.stderr)
    return not error

if __name__=='__main__':
    cfg = get_config()
    fns = [o.absolute() for o in nbglob(as_path=True) if {o.stem, f'{o.parent.name}/{o.stem}'} & set(sys.argv[1:])]
    if len(fns)<len(sys.argv)-1 or not fns: sys.exit(f"no notebook is called {' or '.join(sys.argv[1:])}")
    os.environ['IN_TEST'] = '1'
    if len(fns)==1: sys.exit(not execute(fns[0], cfg.tst_flags.split()))
    # a process of its own for each, so that what a reader sees does not depend on what ran before
    sys.exit(any([run([sys.executable,__file__,f'{o.parent.name}/{o.stem}']).returncode for o in fns]))
