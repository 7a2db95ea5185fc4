"""`graphc diff` and `graphc transfer` on the command line, under git, and as pre-commit and CI run them."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from safetensors.numpy import load_file, save_file

import graphc
from graphc.cli import main
from graphc.cli.each import each
from graphc.diff.driver import report
from graphc.diff.review import review
from graphc.initial import initial_values

TOP = Path(__file__).parents[1]

NET = """
graphc: 1
name: net
use: {own: lib/own.yaml}
dims: {N: 1, H: 32, W: 32}
inputs: {image: [N, 3, H, W]}
graph:
  - conv_bn_relu: {out_channels: 16, kernel_size: 3}
  - own.unit:
    repeat: 3
    id: body
outputs: {features: x}
"""
OWN = """
graphc: 1
name: own
blocks:
  unit:
    inputs: {features: [N, C, H, W]}
    graph:
      - conv_bn_relu: {out_channels: C, kernel_size: 3}
"""


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    return int(end.value.code or 0)


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Specs in a repository in which git shows their diffs with graphc; one uses a file of its own."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("NO_COLOR", "1")
    (tmp_path / "nets" / "lib").mkdir(parents=True)
    (tmp_path / "nets" / "net.yaml").write_text(NET)
    (tmp_path / "nets" / "lib" / "own.yaml").write_text(OWN)
    (tmp_path / ".gitattributes").write_text("*.yaml diff=graphc\n")
    git(tmp_path, "init", "-q", ".")
    git(tmp_path, "config", "user.email", "a@example.org")
    git(tmp_path, "config", "user.name", "A")
    git(tmp_path, "config", "diff.graphc.command", f"'{sys.executable}' -m graphc diff --git")
    commit(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def commit(folder: Path) -> None:
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "a change")


def change(folder: Path, old: str, new: str, file: str = "net.yaml") -> None:
    path = folder / "nets" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_exit_code_says_whether_they_differ(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("diff", "resnet18", "resnet18") == 0
    assert run("diff", "resnet18", "resnet34") == 1
    assert run("diff", "resnet18", "resnet19") == 2
    assert "no spec `resnet19`" in capsys.readouterr().err


def test_a_wrong_spec_is_trouble_and_no_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(NET.replace("own.unit", "conv2d"))
    assert run("diff", "resnet18", str(wrong)) == 2
    assert "wrong.yaml" in capsys.readouterr().err


def test_one_address_needs_a_setting_for_one_side(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("diff", "vit_ti_16") == 2
    assert run("diff", "vit_ti_16", "--set-b", "depth=6") == 1
    assert "encoder has 6 encoder_layer blocks instead of 12" in capsys.readouterr().out


def test_json_is_the_data(capsys: pytest.CaptureFixture[str]) -> None:
    run("diff", "resnet18", "resnet34", "--as", "json")
    data = json.loads(capsys.readouterr().out)
    assert data["edits"][0]["kind"] == "repeated"
    assert (data["before"], data["after"], data["same"]) == ("resnet18", "resnet34", False)


@pytest.mark.parametrize("name", ["diff.svg", "diff.md", "diff.json", "diff.txt"])
def test_reports_and_pictures_are_files(tmp_path: Path, name: str) -> None:
    assert run("diff", "vgg11", "vgg11_bn", "-o", str(tmp_path / name)) == 1
    assert "bn" in (tmp_path / name).read_text()


def test_a_file_that_can_not_be_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("diff", "vgg11", "vgg11_bn", "-o", str(tmp_path / "diff.nothing")) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert not [*tmp_path.iterdir()]


def test_saved_graphs_are_sides(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved = str(tmp_path / "a.json")
    with pytest.raises(SystemExit) as end:
        main(["expand", "resnet18", "--as", "json", "-o", saved])
    assert not end.value.code
    assert run("diff", saved, "resnet18") == 0
    assert run("diff", saved, saved) == 0
    told = capsys.readouterr().out
    assert told.count("The two are the same architecture.") == 2
    assert "no blocks" not in told
    assert run("diff", saved, "resnet34") == 1
    told = capsys.readouterr().out
    assert "basic_block blocks instead of 2, 2, 2, 2 (layers: [2, 2, 2, 2] → [3, 4, 6, 3])" in told
    assert run("diff", saved, "resnet18", "--set-a", "classes=10") == 2
    assert "can't be set" in capsys.readouterr().err


def test_each_side_has_its_settings(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("diff", "resnet18", "--set-a", "classes=10", "--set-b", "classes=20") == 1
    told = capsys.readouterr().out
    assert told.startswith("resnet18 classes=10 → resnet18 classes=20\n")
    assert "fc (linear): 10 → 20 out features" in told
    assert run("diff", "resnet18", "resnet18", "--set", "classes=10") == 0
    assert run("diff", "resnet18", "resnet18", "--set-a", "nothing=10") == 2


def test_plain_text_has_no_colours(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    run("diff", "vgg11", "vgg11_bn")
    assert "\x1b" not in capsys.readouterr().out


def test_git_diff_shows_architectures(repository: Path) -> None:
    change(repository, "repeat: 3", "repeat: 5")
    shown = git(repository, "diff")
    assert "body has 5 unit blocks instead of 3" in shown
    assert "-    repeat" not in shown


def test_a_file_at_a_revision_uses_the_files_of_that_revision(repository: Path) -> None:
    change(repository, "kernel_size: 3", "kernel_size: 5", "lib/own.yaml")
    change(repository, "repeat: 3", "repeat: 4")
    commit(repository)
    shown = git(repository, "diff", "HEAD~1", "HEAD", "--", "nets/net.yaml")
    assert "body has 4 unit blocks instead of 3" in shown
    assert "body.0–2.conv_bn_relu.conv (conv2d): kernel_size 3 → 5, padding 1 → 2 (3×)" in shown
    assert "body has 4 unit blocks" in git(repository, "log", "-1", "-p", "--ext-diff")


def test_what_is_staged_is_shown_from_the_index(repository: Path) -> None:
    change(repository, "repeat: 3", "repeat: 2")
    git(repository, "add", ".")
    change(repository, "repeat: 2", "repeat: 9")
    assert "body has 2 unit blocks instead of 3" in git(repository, "diff", "--cached")
    assert "body has 9 unit blocks instead of 2" in git(repository, "diff")


def test_new_and_deleted_files_are_told(repository: Path) -> None:
    (repository / "nets" / "more.yaml").write_text(NET.replace("name: net", "name: more"))
    (repository / "nets" / "net.yaml").unlink()
    git(repository, "add", ".")
    shown = git(repository, "diff", "--cached", "--no-renames")
    assert "+ new: <graph more" in shown
    assert "- removed: <graph net" in shown


def test_what_is_no_architecture_is_shown_as_text(repository: Path) -> None:
    change(repository, "kernel_size: 3", "kernel_size: 5", "lib/own.yaml")
    shown = git(repository, "diff")
    assert "not compared as an architecture" in shown
    assert "+      - conv_bn_relu: {out_channels: C, kernel_size: 5}" in shown


def test_a_broken_spec_does_not_end_the_diff(repository: Path) -> None:
    change(repository, "own.unit", "own.nothing")
    (repository / "nets" / "z.yaml").write_text(NET.replace("name: net", "name: z"))
    git(repository, "add", "-N", ".")
    shown = git(repository, "diff")
    assert "own.nothing" in shown
    assert "+ new: <graph z" in shown


CHILD = """
graphc: 1
name: child
extends: net.yaml
graph:
  - conv2d: {out_channels: 8, kernel_size: 1}
    id: narrow
"""


def test_a_spec_that_extends_another_is_read_as_it_was_then(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    child = repository / "nets" / "child.yaml"
    child.write_text(CHILD)
    commit(repository)
    change(repository, "repeat: 3", "repeat: 4")
    change(repository, "out_channels: 8", "out_channels: 9", "child.yaml")
    commit(repository)
    shown = git(repository, "diff", "HEAD~1", "HEAD", "--", "nets/child.yaml")
    assert "body has 4 unit blocks instead of 3" in shown
    assert "narrow (conv2d): 8 → 9 out channels" in shown
    child.rename(child.with_name("kid.yaml"))
    change(repository, "out_channels: 9", "out_channels: 10", "kid.yaml")
    commit(repository)
    shown = git(repository, "diff", "-M", "HEAD~1", "HEAD")
    assert "graphc diff nets/child.yaml → nets/kid.yaml" in shown
    assert "narrow (conv2d): 9 → 10 out channels" in shown
    assert "body has" not in shown
    assert run("diff", "git:HEAD~2:nets/child.yaml", "nets/kid.yaml") == 1
    told = capsys.readouterr().out
    assert "body has 4 unit blocks instead of 3" in told
    assert "narrow (conv2d): 8 → 10 out channels" in told


def test_a_revision_is_a_side(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(repository, "kernel_size: 3", "kernel_size: 5", "lib/own.yaml")
    commit(repository)
    assert run("diff", "git:HEAD~1:nets/net.yaml", "nets/net.yaml") == 1
    assert "kernel_size 3 → 5" in capsys.readouterr().out
    assert run("diff", "git:HEAD:nets/net.yaml", "nets/net.yaml") == 0
    assert run("diff", "git:HEAD~7:nets/net.yaml", "nets/net.yaml") == 2
    assert "there is no revision `HEAD~7`" in capsys.readouterr().err


def test_what_git_does_not_give_is_a_wrong_call() -> None:
    assert report(["net.yaml"]) == ["* net.yaml is not merged"]
    with pytest.raises(ValueError, match="seven arguments"):
        report(["a", "b"])
    assert run("diff", "--git", "a", "b") == 2


def test_a_review_tells_each_variant_that_changed(repository: Path) -> None:
    assert "No architecture is different" in review("HEAD", ["nets/*.yaml"])
    change(repository, "kernel_size: 3", "kernel_size: 5", "lib/own.yaml")
    told = review("HEAD", ["nets/*.yaml"])
    assert told.startswith("<!-- graphc diff -->")
    assert "### `net before` → `net now`" in told
    assert "kernel_size 3 → 5" in told


def test_the_action_is_a_composite_one_whose_inputs_are_all_used() -> None:
    text = (TOP / "action.yml").read_text()
    action = yaml.safe_load(text)
    assert action["runs"]["using"] == "composite"
    assert all(step.get("shell") == "bash" for step in action["runs"]["steps"] if "run" in step)
    assert all(f"inputs.{name}" in text for name in action["inputs"])
    for step in action["runs"]["steps"]:
        if "run" in step:
            assert "${{" not in step["run"]  # what a stranger wrote is never code
            subprocess.run(["bash", "-n"], input=step["run"], text=True, check=True)


def test_the_hook_checks_each_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (hook,) = yaml.safe_load((TOP / ".pre-commit-hooks.yaml").read_text())
    assert hook["entry"].split() == ["python", "-m", "graphc.cli.each", "check"]
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(NET.replace("use: {own: lib/own.yaml}\n", "").replace("own.unit", "relu"))
    bad.write_text(good.read_text().replace("relu", "rely"))
    assert each(["check", str(good)]) == 0
    assert each(["check", str(bad), str(good)]) == 1
    assert "bad.yaml" in capsys.readouterr().err


def weights_of(address: str, path: Path, seed: int = 1) -> dict[str, np.ndarray]:
    values = dict(initial_values(graphc.compile(address), seed))
    save_file(values, path)
    return values


def test_weights_carry_over_along_the_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = weights_of("resnet18", tmp_path / "old.safetensors")
    new = tmp_path / "new.safetensors"
    main_ok = run(
        "transfer", str(tmp_path / "old.safetensors"), "--from", "resnet18", "--to", "resnet34", "-o", str(new)
    )
    assert main_ok == 0
    made, fresh = load_file(new), dict(initial_values(graphc.compile("resnet34"), 0))
    assert made.keys() == fresh.keys()
    kept = [path for path in made if path in old]
    assert all(np.array_equal(made[path], old[path]) for path in kept)
    assert all(np.array_equal(made[path], fresh[path]) for path in made if path not in old)
    assert f"{len(kept)} weights carry over" in capsys.readouterr().out


def test_weights_of_another_shape_get_initial_values(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = weights_of("resnet18", tmp_path / "old.safetensors")
    new = tmp_path / "new.safetensors"
    arguments = ["--from", "resnet18", "--to", "resnet18", "--set-b", "classes=10", "--seed", "3", "-o", str(new)]
    assert run("transfer", str(tmp_path / "old.safetensors"), *arguments) == 0
    made = load_file(new)
    fresh = dict(initial_values(graphc.compile("resnet18", set={"classes": 10}), 3))
    assert np.array_equal(made["fc.weight"], fresh["fc.weight"])
    assert np.array_equal(made["stem.conv.weight"], old["stem.conv.weight"])
    assert "~ fc.weight: [1000, 512] → [10, 512], initial values" in capsys.readouterr().out


def test_weights_go_along_renamed_parts(tmp_path: Path, repository: Path) -> None:
    change(repository, "id: body", "id: trunk")
    before, after = graphc.compile("git:HEAD:nets/net.yaml"), graphc.compile("nets/net.yaml")
    values = dict(initial_values(before, 4))
    save_file(values, tmp_path / "old.safetensors")
    arguments = ["--from", "git:HEAD:nets/net.yaml", "--to", "nets/net.yaml", "-o", "new.safetensors"]
    assert run("transfer", str(tmp_path / "old.safetensors"), *arguments) == 0
    made = load_file("new.safetensors")
    assert list(dict(after.weights())) == list(dict.fromkeys(path.replace("body", "trunk") for path in values))
    assert all(np.array_equal(made[path.replace("body", "trunk")], value) for path, value in values.items())


def test_a_file_for_another_network_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights_of("resnet18", tmp_path / "old.safetensors")
    new = tmp_path / "new.safetensors"
    arguments = ["--from", "resnet34", "--to", "resnet50", "-o", str(new)]
    assert run("transfer", str(tmp_path / "old.safetensors"), *arguments) in {1, 2}
    assert "doesn't fit resnet34" in capsys.readouterr().err
    assert not new.exists()
    assert run("transfer", "none.pt", "--from", "resnet18", "--to", "resnet34", "-o", "new.bin") == 2
