"Entries of the reference: signature, one line and a table of parameters for each public symbol, from its cell"
import ast,io,re,tokenize

FUNC = ast.FunctionDef,ast.AsyncFunctionDef

def comments(src):
    "Line number to comment, as docments are read"
    toks = tokenize.generate_tokens(io.StringIO(src).readline)
    return {o.start[0]:o.string.lstrip('# ') for o in toks if o.type==tokenize.COMMENT}

def text(node): return '' if node is None else ast.unparse(node)

def parameters(fn):
    "Name, annotation, default and line of each parameter of the function `fn`"
    a,pos = fn.args,fn.args.posonlyargs+fn.args.args
    rows = [*zip(['']*len(pos), pos, [None]*(len(pos)-len(a.defaults))+a.defaults)]
    if a.vararg: rows.append(('*', a.vararg, None))
    rows += zip(['']*len(a.kwonlyargs), a.kwonlyargs, a.kw_defaults)
    if a.kwarg: rows.append(('**', a.kwarg, None))
    return [(star+p.arg, text(p.annotation), text(dflt), p.lineno) for star,p,dflt in rows]

def field_default(node):
    "The default of a dataclass field, which `field(...)` may hold"
    if not (isinstance(node, ast.Call) and text(node.func)=='field'): return text(node)
    return next((text(o.value) for o in node.keywords if o.arg.startswith('default')), '')

def fields(cls):
    "Name, annotation, default and line of each field of the class `cls`"
    return [(o.target.id, text(o.annotation), field_default(o.value), o.lineno) for o in cls.body
        if isinstance(o, ast.AnnAssign) and o.target.id[0]!='_']

def cell(s, code=True):
    "`s` as the text of one cell of a Markdown table"
    s = s.replace('|', r'\|')
    return f'`{s}`' if s and code else s

def returned(fn, rows, notes):
    "Type and meaning of what `fn` returns, from the comment where its signature ends; `None` if it says neither"
    last = max((line for *_,line in rows), default=fn.lineno)
    if fn.returns is not None: note = notes.get(fn.returns.end_lineno, '')
    else: note = next((notes[i] for i in range(last+1, fn.body[0].lineno) if i in notes), '')
    return (text(fn.returns),note) if fn.returns is not None or note else None

def table(rows, ret, notes):
    "Markdown table of parameters, then of what is returned; '' if nothing is said of them"
    if not (ret and ret[1]) and not any(line in notes for *_,line in rows): return ''
    def meaning(line):         # a signature of one line ends in what is returned
        return '' if ret and notes.get(line)==ret[1] else cell(notes.get(line, ''), False)
    def bold(name): return '**' + name.replace('*', r'\*') + '**'
    body = [f"| {bold(n)} | {cell(anno)} | {cell(dflt)} | {meaning(line)} |" for n,anno,dflt,line in rows]
    if ret: body.append(f"| *returns* | {cell(ret[0])} | | {cell(ret[1], False)} |")
    return '\n'.join(['| parameter | type | default | meaning |', '|---|---|---|---|', *body]) if body else ''

def names(args):
    "Parameters as in a signature, without the types: these are in the table"
    for o in ast.walk(args):
        if isinstance(o, ast.arg): o.annotation = None
    return text(args)

def directive(kind, sig, *parts, **options):
    opts = ''.join(f'\n:{k}: {v}' for k,v in options.items() if v)
    return f':::{{py:{kind}}} {sig}{opts}\n\n' + '\n\n'.join(o for o in parts if o) + '\n:::'

def function_entry(fn, notes, owner=None):
    "Entry of a function, or of a method or property of `owner`"
    marks = [text(o) for o in fn.decorator_list]
    if owner is None and any(o.startswith('patch') for o in marks): owner = text(fn.args.args[0].annotation)
    static,prop = 'staticmethod' in marks,any('property' in o or 'as_prop=True' in o for o in marks)
    if owner and not static: fn.args.args.pop(0)
    name = f'{owner}.{fn.name}' if owner else fn.name
    rows = parameters(fn)
    body = ast.get_docstring(fn) or '',table(rows, returned(fn, rows, notes), notes)
    if prop: return directive('property', name, *body, type=text(fn.returns))
    ret = f' -> {text(fn.returns)}' if fn.returns else ''
    kind = 'method' if owner else 'function'
    return directive(kind, f'{name}({names(fn.args)}){ret}', *body, staticmethod=' ' if static else '')

def class_entry(cls, notes):
    "Entries of a class and of its public methods"
    funcs = [o for o in cls.body if isinstance(o, FUNC)]
    init = next((parameters(o)[1:] for o in funcs if o.name=='__init__'), [])
    rows = fields(cls) or init
    sig = ', '.join(n+'='*bool(dflt)+dflt for n,_,dflt,_ in rows)
    signature = cls.name+(f'({sig})' if rows else '')
    head = directive('class', signature, ast.get_docstring(cls) or '', table(rows, None, notes))
    return [head, *(function_entry(o, notes, cls.name) for o in funcs if o.name[0]!='_')]

def public_names(fn):
    "`__all__` of a module that nbdev has made"
    return ast.literal_eval(re.search(r'^__all__ = (\[.*?\])', fn.read_text(), re.M|re.S)[1])

def entries(src, public):
    "MyST text for each symbol defined in `src`; a constant has an entry if it is in `public`"
    notes,res = comments(src),[]
    for o in ast.parse(src).body:
        if isinstance(o, FUNC) and o.name[0]!='_': res.append(function_entry(o, notes))
        elif isinstance(o, ast.ClassDef) and o.name[0]!='_': res += class_entry(o, notes)
        elif isinstance(o, ast.Assign):
            constants = [name.id for name in ast.walk(o.targets[0]) if isinstance(name, ast.Name) and name.id in public]
            note = notes.get(o.lineno-1) or notes.get(o.lineno)
            res += [directive('data', name, note) for name in constants]
    return res
