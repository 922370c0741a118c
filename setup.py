"Everything about the package is read from settings.ini, which nbdev reads too"
from configparser import ConfigParser
from pathlib import Path
from setuptools import find_packages, setup

config = ConfigParser(delimiters=['='])
config.read('settings.ini', encoding='utf-8')
cfg = config['DEFAULT']

setup(
    name=cfg['lib_name'], version=cfg['version'], description=cfg['description'], keywords=cfg['keywords'],
    author=cfg['author'], author_email=cfg['author_email'], url=cfg['git_url'], license='Apache-2.0',
    long_description=Path('README.md').read_text(encoding='utf-8'), long_description_content_type='text/markdown',
    python_requires=f">={cfg['min_python']}",
    packages=find_packages(include=[cfg['lib_name'], cfg['lib_name']+'.*']),
    package_data={cfg['lib_name']: ['assets/*']},
    install_requires=cfg['requirements'].split(),
    extras_require=dict(test=cfg['test_requirements'].split(), docs=cfg['docs_requirements'].split(),
        bench=cfg['bench_requirements'].split(), distributed=cfg['distributed_requirements'].split(),
        volumes=cfg['volumes_requirements'].split(), labels=cfg['labels_requirements'].split(),
        dev=cfg['dev_requirements'].split()+cfg['test_requirements'].split()),
    entry_points=dict(
        console_scripts=cfg['console_scripts'].split(), nbdev=[f"{cfg['lib_name']}={cfg['lib_name']}._modidx:d"]),
    classifiers=[
        'Development Status :: 3 - Alpha', 'Intended Audience :: Science/Research',
        'Topic :: Scientific/Engineering :: Medical Science Apps.',
        *(f'Programming Language :: Python :: 3.{o}' for o in (10,11,12,13))],
)
