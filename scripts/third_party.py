"""Prints the licences of every crate that the program is built from, each text once."""

import json
import pathlib
import subprocess
import sys


def cargo(*arguments):
    command = ["cargo", *arguments, "--locked", "--offline"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


host = sys.argv[1]
tree = cargo("tree", "-p", "frontdesk", "-e", "normal", "--target", host, "--prefix", "none", "-f", "{p}")
used = {tuple(line.split()[:2]) for line in tree.splitlines() if line.strip()}
metadata = json.loads(cargo("metadata", "--format-version", "1", "--filter-platform", host))
texts, crates = {}, []
for package in metadata["packages"]:
    name = (package["name"], "v" + package["version"])
    if package["source"] is None or name not in used:
        continue
    title = f"{package['name']} {package['version']} ({package['license'] or 'see its text'})"
    crates.append(title)
    folder = pathlib.Path(package["manifest_path"]).parent
    for file in sorted(folder.iterdir()):
        if file.is_file() and file.name.upper().startswith(("LICENSE", "LICENCE", "COPYING", "NOTICE", "COPYRIGHT")):
            text = file.read_text(encoding="utf-8", errors="replace").strip()
            texts.setdefault(text, []).append(title)
if not crates:
    sys.exit("no crates were found")
print(f"Frontdesk is built from {len(crates)} crates of others:\n")
print("\n".join(crates))
for text, titles in texts.items():
    print("\n" + "-" * 78 + "\n" + "\n".join(titles) + "\n\n" + text)
