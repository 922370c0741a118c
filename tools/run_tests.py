"Run the tests of every notebook, two at a time, and say how many passed"
import sys
from os import chdir

from fastcore.basics import num_cpus
from fastcore.parallel import parallel
from nbdev.config import get_config
from nbdev.doclinks import nbglob
from nbdev.test import test_nb

if __name__=='__main__':
    cfg = get_config()
    names = set(sys.argv[1:])     # names of notebooks, such as 01_decode or pixels/01_decode; all of them by default
    fns = [fn.absolute() for fn in sorted(nbglob(as_path=True))]
    if names: fns = [fn for fn in fns if names & {fn.stem, f'{fn.parent.name}/{fn.stem}'}]
    if not fns: sys.exit(f'no notebook is called {", ".join(sorted(names))}')
    chdir(cfg.nbs_path)
    options = dict(skip_flags=cfg.tst_flags.split(), basepath=cfg.config_path)
    res = parallel(test_nb, fns, **options, n_workers=min(num_cpus(), 8), pause=.01)
    for fn, (ok, secs) in zip(fns, res):
        print(f"{'passed' if ok else 'FAILED'} {secs:6.1f} s  {fn.relative_to(cfg.nbs_path)}")
    failed = sum(not ok for ok, _ in res)
    print(f'{len(res)-failed} passed, {failed} failed')
    sys.exit(bool(failed))
