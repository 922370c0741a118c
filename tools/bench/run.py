"""Measure the library beside others: python tools/bench/run.py [--out FILE] [TOPIC...]

With topics, FILE keeps what it has of the others, and says when and of which commit that was measured.

Each topic is a file beside this one with a `Topic` called `topic`. To add a comparison, write a function there that
gives `Comparison`s, ours first, and mark it `@topic.time` or `@topic.peak` (memory); to add a topic, write a file and
name it in `topics`. The page shows whatever the result holds."""
import argparse
import importlib
import json
import subprocess
import sys
import warnings
from pathlib import Path

import harness

# each is a file beside this one, and a heading of the page
topics = '''histogram windowing masks headers decoding volumes annotations prepare training privacy start'''.split()
page,result = 'nbs/how_fast.ipynb','nbs/data/bench.json'

def load(names):
    warnings.simplefilter('ignore')
    return [importlib.import_module(o).topic for o in names]

def memory(names):
    "The memory rows, from a process of their own"
    res = subprocess.run([sys.executable, __file__, '--memory', *names], capture_output=True, text=True)
    if res.returncode: sys.exit(res.stderr)
    return json.loads(res.stdout)

def memory_lines(row):
    return '\n'.join([f"{row['task']}: {row['image']['name']} {row['image']['dtype']}, memory beside the result in "
        f"units of the input"]+[f"  {o['beside']:9.2f}  {o['name']}" for o in row['ways']])

def with_earlier(res, out):
    "The result, with the rows of other topics that the file `out` holds"
    if not Path(out).exists(): return res
    earlier = json.loads(Path(out).read_text())
    measured = dict(measured=dict(date=earlier['date'], commit=earlier['commit']))
    for kind in ('rows','memory'):
        topics = {o['topic'] for o in res['rows']}
        res[kind] = [measured|o for o in earlier[kind] if o['topic'] not in topics]+res[kind]
    return res

def main():
    p = argparse.ArgumentParser(description='Measure the library beside others')
    p.add_argument('topics', nargs='*', help=f"some of {', '.join(topics)}; all by default")
    p.add_argument('--out', help='where the result is written; by default it is shown only')
    p.add_argument('--memory', action='store_true', help='measure memory alone, and write JSON to the standard output')
    args = p.parse_args()
    if unknown := set(args.topics)-set(topics):
        p.error(f"no topic is called {', '.join(sorted(unknown))}; there are {', '.join(topics)}")
    names = args.topics or topics
    if args.memory: return print(json.dumps(harness.measure_memory(load(names))))
    res = harness.measure_all(load(names), (page,result))
    res['memory'] = memory(names)
    for o in res['memory']: print(memory_lines(o))
    if args.topics and args.out: res = with_earlier(res, args.out)
    res['packages'] = harness.versions(res['rows']+res['memory'])
    if args.out: Path(args.out).write_text(json.dumps(res, indent=1)+'\n')

if __name__=='__main__': main()
