"Read docs/ as a visitor does, with Chromium, from the disk and from a server; `make test` runs it after the notebooks"
import os,shutil,sys,time
from functools import partial
from http.server import SimpleHTTPRequestHandler,ThreadingHTTPServer
from threading import Thread

from nbdev.config import get_config

DOCS = get_config().doc_path
WORD = 'hist_scaled' if 'hist_scaled' in (DOCS/'searchindex.js').read_text() else 'modality_values'

class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args): pass

def listen(page, base):
    "A list to which all is added that goes wrong on `page`, network requests included"
    wrong = []
    page.on('console', lambda o: wrong.append(o.text) if o.type in ('error','warning') else None)
    page.on('pageerror', lambda o: wrong.append(str(o)))
    page.on('requestfailed', lambda o: wrong.append(f'{o.failure}: {o.url}') if 'ERR_ABORTED' not in o.failure else None)   # aborted: the visitor went on
    page.on('response', lambda o: wrong.append(f'{o.status}: {o.url}') if o.status>=400 else None)
    page.on('request', lambda o: None if o.url.startswith((base,'data:')) else wrong.append(f'not of this site: {o.url}'))
    return wrong

def test_pages(page, base):
    "every page renders, wide and narrow"
    for fn in sorted(DOCS.rglob('*.html')):
        name = fn.relative_to(DOCS).as_posix()
        page.set_viewport_size(dict(width=1400, height=900))
        page.goto(base+name)
        if name!='search.html': assert page.locator('article h1').first.is_visible(), f'{name} has no title'
        page.set_viewport_size(dict(width=390, height=844))
        wide = page.evaluate('document.documentElement.scrollWidth')
        assert wide<=390, f'{name} is {wide} px wide on a screen of 390'
        page.evaluate('window.scrollTo(200, 0)')
        assert page.evaluate('window.scrollX')==0, f'{name} scrolls sideways'
        loaded = page.evaluate('Promise.all([...document.images].map(o => (o.loading="eager", o.decode().then(() => true, () => o.src))))')
        assert all(o is True for o in loaded), loaded

def test_search(page, base):
    "the search finds a function and leads to its entry"
    page.goto(base+'index.html')
    page.keyboard.press('Control+k')
    page.keyboard.type(WORD)
    page.keyboard.press('Enter')
    page.locator(f'#search-results a[href*=".{WORD}"]').first.click()
    page.locator(f'dt[id$=".{WORD}"]').wait_for()

def test_entry(page, base):
    "from home, two clicks lead to an entry with its table and its source"
    page.goto(base+'index.html')
    page.locator('nav a:visible', has_text='pixels').first.click()
    page.locator('a[href="#medical_imaging.pixels.modality_values"]:visible').first.click()
    entry = page.locator('dl', has=page.locator('dt[id="medical_imaging.pixels.modality_values"]'))
    entry.wait_for()
    assert entry.locator('table td', has_text='Dataset').count() and entry.locator('a', has_text='source').count()

def test_dark(page, base):
    "the dark mode is dark and stays so on the next page"
    page.goto(base+'index.html')
    def light(): return sum(page.evaluate('getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0,3).map(Number)'))
    assert light()>600, 'the page starts dark'
    page.locator('.theme-switch-button:visible').first.click()
    page.locator('.theme-change-button[data-mode=dark]:visible').first.click()
    assert light()<200, light()
    page.goto(base+'pixels.html')
    assert light()<200, light()

def run(browser, base, test):
    "Run `test` in a context of its own, print the result, and say whether it failed"
    ctx,start,why = browser.new_context(viewport=dict(width=1400, height=900), color_scheme='light'),time.time(),''
    page = ctx.new_page()
    page.set_default_timeout(10_000)
    wrong = listen(page, base)
    try: test(page, base)
    except Exception as e: why = f'{type(e).__name__}: {e}'
    ctx.close()
    why = '; '.join([why]*bool(why)+wrong[:5])
    print(f"{'FAILED' if why else 'passed'} {time.time()-start:6.1f} s  site, {base.split(':')[0]}: {test.__doc__}" + f'\n  {why}'*bool(why))
    return bool(why)

def main(sync_playwright, chromium):
    server = ThreadingHTTPServer(('127.0.0.1', 0), partial(Quiet, directory=DOCS))
    Thread(target=server.serve_forever, daemon=True).start()
    bases = DOCS.resolve().as_uri()+'/',f'http://127.0.0.1:{server.server_port}/'
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=chromium, args=['--no-sandbox','--disable-gpu','--disable-dev-shm-usage'])
        failed = [run(browser, base, test) for base in bases for test in (test_pages, test_search, test_entry, test_dark)]
    print(f'{len(failed)-sum(failed)} passed, {sum(failed)} failed')
    sys.exit(any(failed))

if __name__=='__main__':
    chromium = next(filter(None, map(shutil.which, ('chromium','chromium-browser','google-chrome'))), None)
    try: from playwright.sync_api import sync_playwright
    except ImportError: sync_playwright = None
    if chromium and sync_playwright: main(sync_playwright, chromium)
    missing = 'the package playwright' if chromium else 'chromium (apt-get install chromium)'
    if os.environ.get('CI'): sys.exit(f'the site cannot be tested without {missing}')
    print(f'site: not tested, for want of {missing}')
