import hashlib
import json
import shutil
import stat
import struct
import subprocess
import sys
import zipfile

import pytest

from gavial.errors import ConfigurationError, CorruptRelease, IncompatibleModel
from gavial.maven.content import Content
from gavial.maven.coordinate import Coordinate
from gavial.model.jar import artifacts, pack, python_members, read_manifest, unpack
from gavial.model.saved_model import SavedModel
from gavial.model.stamp import overlay, watermark_of

COORDINATE = Coordinate.parse("com.acme:churn:1.0.3")
MANIFEST = "META-INF/gavial/manifest.json"


def packed(folder, target, python_files=None, **options):
    model = SavedModel.read(folder)
    pack(
        target,
        model,
        COORDINATE,
        overlay=options.pop("overlay", {}),
        python_files=python_files or {},
        pom=b"<project/>",
        pom_properties=b"version=1.0.3\n",
        **options,
    )
    return target


@pytest.fixture
def jar(churn4, tmp_path):
    return packed(churn4, tmp_path / "churn.jar", {"acme/data.txt": b"x", "acme/m.py": b"A = 1"})


def edited(jar, change):
    """The jar with its entries `[(ZipInfo, bytes)]` changed, else as it is."""
    with zipfile.ZipFile(jar) as old:
        entries = [(info, old.read(info)) for info in old.infolist()]
    entries = change(entries)
    with zipfile.ZipFile(jar, "w", zipfile.ZIP_DEFLATED) as new:
        for info, data in entries:
            new.writestr(info, data)
    return jar


def without_manifest(jar):
    return edited(jar, lambda entries: [e for e in entries if e[0].filename != MANIFEST])


def with_entry(jar, name, data=b"x", mode=None):
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_DEFLATED
    if mode:
        info.external_attr = mode << 16
    return edited(without_manifest(jar), lambda entries: [*entries, (info, data)])


def refused(jar, tmp_path, message):
    with pytest.raises(CorruptRelease, match=message):
        unpack(jar, "churn", tmp_path / "out")


def test_a_packed_model_comes_back_as_it_was(churn, tmp_path):
    jar = packed(churn, tmp_path / "a.jar")
    folder = unpack(jar, "churn", tmp_path / "out")
    assert SavedModel.read(folder).digest() == SavedModel.read(churn).digest()
    assert artifacts(jar) == ("churn",)


def test_the_prints_of_a_model_change_no_byte_of_its_jar(churn4, tmp_path):
    prints = SavedModel.read(churn4).read_through().prints
    assert any(path.suffix == ".parquet" for path in prints)
    plain, foreseen = (
        packed(churn4, tmp_path / "a.jar"),
        packed(churn4, tmp_path / "b.jar", prints=prints),
    )
    assert plain.read_bytes() == foreseen.read_bytes()


def test_the_digests_that_packing_gives_are_those_of_the_jar(churn4, tmp_path):
    model = SavedModel.read(churn4)
    found = pack(
        tmp_path / "a.jar",
        model,
        COORDINATE,
        overlay={},
        python_files={},
        pom=b"",
        pom_properties=b"",
        prints=model.read_through().prints,
    )
    assert found == Content.of_file(tmp_path / "a.jar", given_up=True)


@pytest.mark.parametrize("change", [b"longer than it was", b"", None])
def test_a_file_that_changes_after_it_was_read_is_not_packed(churn4, tmp_path, change):
    model = SavedModel.read(churn4)
    prints = model.read_through().prints
    (file, *_) = sorted(path for path in prints if path.suffix == ".parquet")
    data = file.read_bytes()
    file.write_bytes(data[:-1] + b"?" if change is None else change)
    with pytest.raises(IncompatibleModel, match="changed while the model was packed"):
        packed(churn4, tmp_path / "a.jar", prints=prints)
    assert not (tmp_path / "a.jar").exists()


def test_the_layout_is_that_of_the_interface(jar):
    names = zipfile.ZipFile(jar).namelist()
    assert names[-1] == MANIFEST
    assert names[:-1] == sorted(names[:-1])
    maven = "META-INF/maven/com.acme/churn"
    wanted = {f"{maven}/pom.xml", f"{maven}/pom.properties", "acme/m.py", "acme/data.txt"}
    assert wanted < set(names)
    files = [name for name in names if not name.endswith("/")]
    folders = {name for name in names if name.endswith("/")}
    for name in files:
        parts = name.split("/")[:-1]
        assert {"/".join(parts[: i + 1]) + "/" for i in range(len(parts))} <= folders
    assert not [name for name in names if name.endswith(".crc") or "_SUCCESS" in name]


def test_the_manifest_lists_every_other_file_with_its_digest(jar):
    manifest = json.loads(zipfile.ZipFile(jar).read(MANIFEST))
    assert manifest["format"] == 1
    assert (manifest["artifact"], manifest["coordinate"]) == ("churn", "com.acme:churn:1.0.3")
    with zipfile.ZipFile(jar) as opened:
        found = {
            info.filename: {
                "sha256": hashlib.sha256(opened.read(info)).hexdigest(),
                "size": info.file_size,
            }
            for info in opened.infolist()
            if not info.is_dir() and info.filename != MANIFEST
        }
    assert manifest["members"] == found


def test_equal_inputs_give_equal_bytes(churn4, tmp_path):
    one = packed(churn4, tmp_path / "one.jar")
    copy = shutil.copytree(churn4, tmp_path / "copy", copy_function=shutil.copyfile)
    for path in copy.rglob("part-*"):
        path.chmod(0o600)
    other = packed(copy, tmp_path / "other.jar")
    assert one.read_bytes() == other.read_bytes()


def test_a_stamped_model_is_packed_without_touching_the_folder(churn, tmp_path):
    model = SavedModel.read(churn)
    before = {path: path.read_bytes() for path in churn.rglob("*") if path.is_file()}
    jar = packed(churn, tmp_path / "a.jar", overlay=overlay(model, COORDINATE))
    stamped = SavedModel.read(unpack(jar, "churn", tmp_path / "out"))
    assert watermark_of(stamped)[1].value == "com.acme:churn:1.0.3"
    assert before == {path: path.read_bytes() for path in churn.rglob("*") if path.is_file()}


def test_python_modules_can_be_imported_from_the_jar(churn4, tmp_path):
    jar = packed(churn4, tmp_path / "a.jar", {"acme/sub/m.py": b"A = 7", "one.py": b"B = 8"})
    code = "import acme.sub.m, one; print(acme.sub.m.A, one.B)"
    command = [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(jar)!r}); {code}"]
    assert subprocess.run(command, capture_output=True, text=True).stdout == "7 8\n"


def test_progress_counts_the_bytes_of_all_members(churn4, tmp_path):
    seen = []
    jar = packed(churn4, tmp_path / "a.jar", progress=seen.append)
    assert sum(seen) == sum(one.size for one in read_manifest(jar).members.values())


@pytest.mark.parametrize(
    "name", ["pipelines/a.py", "META-INF/a.py", "meta-inf/a.py", "../a.py", "/a.py", "a//b.py", ""]
)
def test_a_python_file_in_a_place_of_the_jar_is_refused(churn4, tmp_path, name):
    with pytest.raises(IncompatibleModel, match=r"travel|cannot be"):
        packed(churn4, tmp_path / "a.jar", {name: b""})
    assert not (tmp_path / "a.jar").exists()


@pytest.mark.parametrize("name", ["A/m.py", "a"])
def test_names_that_collide_elsewhere_are_refused(churn4, tmp_path, name):
    with pytest.raises(IncompatibleModel, match="one file on some systems"):
        packed(churn4, tmp_path / "a.jar", {"a/m.py": b"", name: b""})


def test_more_files_than_python_can_import_from_are_refused(churn4, tmp_path):
    many = {f"acme/{index}.txt": b"" for index in range(65536)}
    with pytest.raises(IncompatibleModel, match="imports only from jars of up to 65535"):
        packed(churn4, tmp_path / "a.jar", many)


def test_a_failure_leaves_no_jar(churn4, tmp_path):
    def stop(_):
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        packed(churn4, tmp_path / "a.jar", progress=stop)
    assert not (tmp_path / "a.jar").exists()


def test_the_python_files_of_a_jar_are_listed_with_their_digests(jar):
    expected = {
        "acme/data.txt": hashlib.sha256(b"x").hexdigest(),
        "acme/m.py": hashlib.sha256(b"A = 1").hexdigest(),
    }
    assert python_members(jar) == expected
    assert python_members(without_manifest(jar)) == expected


def test_a_jar_by_others_has_no_manifest_and_can_be_unpacked(jar, tmp_path):
    assert read_manifest(without_manifest(jar)) is None
    assert SavedModel.read(unpack(jar, "churn", tmp_path / "out")).root.children


def test_another_model_of_that_name_is_not_there(jar, tmp_path):
    with pytest.raises(CorruptRelease, match="no model 'other'"):
        unpack(jar, "other", tmp_path / "out")


def test_a_folder_that_is_not_empty_is_refused(jar, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("x")
    with pytest.raises(ConfigurationError, match="not empty"):
        unpack(jar, "churn", tmp_path / "out")
    assert (tmp_path / "out" / "mine").read_text() == "x"


def test_a_folder_that_cannot_be_written_is_an_error_that_says_so(jar, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        unpack(jar, "churn", tmp_path / "file" / "out")


@pytest.mark.parametrize(
    "name",
    [
        "pipelines/churn/../../evil",
        "../evil",
        "/evil",
        "C:evil",
        "pipelines/churn/a\\..\\b",
        "pipelines//churn",
        "pipelines/churn/./a",
        "..",
    ],
)
def test_an_entry_that_leads_out_is_refused(jar, tmp_path, name):
    refused(with_entry(jar, name), tmp_path, "leads out of its folder")
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("name", ["PIPELINES/churn/metadata/x", "pipelines/CHURN/metadata/x"])
def test_entries_that_differ_only_in_case_are_refused(jar, tmp_path, name):
    info = zipfile.ZipInfo("pipelines/churn/metadata/X")
    refused(edited(with_entry(jar, name), lambda e: [*e, (info, b"")]), tmp_path, "collide")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_entry_that_is_there_twice_is_refused(jar, tmp_path):
    twice = edited(without_manifest(jar), lambda entries: [*entries, entries[-1]])
    refused(twice, tmp_path, "collide")


def test_a_file_that_is_also_a_folder_is_refused(jar, tmp_path):
    broken = with_entry(jar, "pipelines/churn/a")
    refused(with_entry(broken, "pipelines/churn/a/b"), tmp_path, "a file and a folder")


def test_a_link_is_refused(jar, tmp_path):
    link = with_entry(jar, "pipelines/churn/link", b"/etc/passwd", stat.S_IFLNK | 0o777)
    refused(link, tmp_path, "a link or a device")


def test_an_encrypted_entry_is_refused(jar, tmp_path):
    data = bytearray(jar.read_bytes())
    place = data.index(b"PK\x01\x02")
    data[place + 8] |= 1
    jar.write_bytes(data)
    refused(jar, tmp_path, "is encrypted")


def test_another_compression_is_refused(jar, tmp_path):
    info = zipfile.ZipInfo("pipelines/churn/z")
    info.compress_type = zipfile.ZIP_LZMA
    refused(edited(jar, lambda entries: [*entries, (info, b"x")]), tmp_path, "no jar uses")


def test_a_changed_file_is_refused(jar, tmp_path):
    def change(entries):
        return [(i, d[::-1] if i.filename.startswith("pipelines") else d) for i, d in entries]

    refused(edited(jar, change), tmp_path, "sha256 differs")


def test_a_file_of_another_size_is_refused(jar, tmp_path):
    def change(entries):
        return [(i, d + b"x" if i.filename.endswith("pom.xml") else d) for i, d in entries]

    refused(edited(jar, change), tmp_path, "its manifest says")


def test_a_missing_file_is_refused(jar, tmp_path):
    def change(entries):
        return [e for e in entries if not e[0].filename.endswith("pom.xml")]

    refused(edited(jar, change), tmp_path, "lacks 'META-INF/maven/com.acme/churn/pom.xml'")


def test_a_file_that_nobody_declared_is_refused(jar, tmp_path):
    def change(entries):
        return [*entries, (zipfile.ZipInfo("evil.py"), b"x")]

    broken = edited(jar, change)
    refused(broken, tmp_path, "has 'evil.py', which its manifest does not list")
    with pytest.raises(CorruptRelease):
        python_members(broken)


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{}", b'{"format": "1"}', b'{"format": 1, "members": {"a": 1}}', b"\xff"]
)
def test_a_damaged_manifest_is_refused(jar, text):
    def change(entries):
        return [(i, text if i.filename == MANIFEST else d) for i, d in entries]

    with pytest.raises(CorruptRelease, match=r"manifest of churn.jar is damaged"):
        read_manifest(edited(jar, change))


def test_a_manifest_of_a_later_gavial_names_what_is_needed(jar):
    def change(entries):
        return [
            (i, d.replace(b'"format": 1', b'"format": 2') if i.filename == MANIFEST else d)
            for i, d in entries
        ]

    with pytest.raises(IncompatibleModel, match=r"has format 2.*up to format 1.*upgrade"):
        read_manifest(edited(jar, change))


def test_additions_to_a_manifest_are_ignored(jar):
    def change(entries):
        return [
            (i, d.replace(b'"format": 1', b'"new": {}, "format": 1'))
            if i.filename == MANIFEST
            else (i, d)
            for i, d in entries
        ]

    assert read_manifest(edited(jar, change)).coordinate == "com.acme:churn:1.0.3"


@pytest.mark.parametrize("part", [0, 0.01, 0.5, 0.9, 0.999])
def test_a_truncated_jar_is_refused(jar, tmp_path, part):
    data = jar.read_bytes()
    jar.write_bytes(data[: int(len(data) * part)])
    refused(jar, tmp_path, "not a whole jar")


def test_a_jar_that_is_not_there_is_an_error_that_says_so(tmp_path):
    refused(tmp_path / "none.jar", tmp_path, "is not there")


def test_a_bomb_that_its_manifest_declares_is_refused_too(churn4, tmp_path):
    with pytest.raises(CorruptRelease, match="GAVIAL_LIMIT_JAR_RATIO"):
        packed(churn4, tmp_path / "bomb.jar", {"zeros.py": b"\0" * (101 << 20)})
    assert not (tmp_path / "bomb.jar").exists()


def test_entries_that_differ_only_in_the_form_of_unicode_are_refused(jar, tmp_path):
    composed, decomposed = (f"pipelines/churn/{name}" for name in ("\u00e9", "e\u0301"))
    both = edited(with_entry(jar, composed), lambda e: [*e, (zipfile.ZipInfo(decomposed), b"")])
    refused(both, tmp_path, "collide")


def test_a_bomb_is_refused_before_it_grows(jar, tmp_path):
    bomb = with_entry(jar, "pipelines/churn/zeros", b"\0" * (101 << 20))
    refused(bomb, tmp_path, "would grow")
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_longer_than_it_says_is_refused(jar, tmp_path):
    """Its size in the directory of the zip is smaller than what comes out."""
    broken = with_entry(jar, "pipelines/churn/zeros", b"\0" * 100_000)
    data = bytearray(broken.read_bytes())
    place = data.rindex(b"pipelines/churn/zeros") - 46
    assert data[place : place + 4] == b"PK\x01\x02"
    struct.pack_into("<L", data, place + 24, 10)
    broken.write_bytes(data)
    refused(broken, tmp_path, "not a whole jar")
    assert sum(p.stat().st_size for p in (tmp_path / "out").rglob("zeros")) <= 10
