"Take the picture of a report for the chapter prepare: python tools/report_picture.py, with Chromium and playwright"
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
from playwright.sync_api import sync_playwright

from medical_imaging.prepare import prepare
from medical_imaging.testing.samples import dicom_samples

picture = Path(__file__).resolve().parent.parent/'static'/'report.jpg'

def take_picture(page_file, png):
    "The upper part of a page, 1,100 pixels wide"
    with sync_playwright() as p:
        chromium = next(filter(None, map(shutil.which, ('chromium','chromium-browser','google-chrome'))))
        browser = p.chromium.launch(executable_path=chromium, args=['--no-sandbox', '--disable-gpu'])
        page = browser.new_page(viewport=dict(width=1100, height=1500), color_scheme='light')
        page.goto(page_file.as_uri())
        page.screenshot(path=png)
        browser.close()

if __name__=='__main__':
    with TemporaryDirectory() as tmp:
        src,dst = Path(tmp)/'samples',Path(tmp)/'prepared'
        dicom_samples(str(src))
        prepare(src, dst, max_frames=2, progress=False)
        take_picture(dst/'report.html', Path(tmp)/'page.png')
        cv2.imwrite(str(picture), cv2.imread(str(Path(tmp)/'page.png')), [cv2.IMWRITE_JPEG_QUALITY, 72])
    print(f'{picture}: {picture.stat().st_size//1024} KB')
