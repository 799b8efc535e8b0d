"""Downloads ask first, go on where they stopped, check every byte, and follow no address off the web."""

import errno
import hashlib
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from web_server import Site, serve

from engine import records, transfer
from engine.download import SPARE_BYTES, choose_files, download, readable
from engine.protocol import BadInput, Cancelled, DownloadJob, OutputFailed
from engine.records import RECORDS, Record, RemoteFile
from engine.reporting import Report
from engine.transfer import Transfer

CONTENT = bytes(range(256)) * 4000
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def site():
    site = Site({"metadata.parquet": b"rows", "Reference_Maps.tar.zst": CONTENT})
    server = serve(site)
    yield site
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """A tiny record in place of the real one, and no waiting."""
    monkeypatch.setattr(transfer, "FIRST_PAUSE_S", 0.001)
    parts = {"metadata.parquet": ("metadata", b"rows"), "Reference_Maps.tar.zst": ("maps", CONTENT)}
    files = tuple(
        RemoteFile(name, len(content), hashlib.md5(content).hexdigest(), part)
        for name, (part, content) in parts.items()
    )
    tiny = Record("Tiny", "http://127.0.0.1:1", "none", files)
    monkeypatch.setitem(RECORDS, "bigearthnet-v2", tiny)


def job(site, folder, **values):
    return DownloadJob(dataset="bigearthnet-v2", to=str(folder), url=site.url, **{"yes": True, **values})


def ranges(site, name="Reference_Maps.tar.zst"):
    return [wanted for asked, wanted in site.asked if asked == name]


def test_all_files_arrive_whole_and_the_way_to_unpack_them_is_told(site, tmp_path):
    result = download(job(site, tmp_path / "new" / "folder"), Report())
    folder = tmp_path / "new" / "folder"
    assert sorted(path.name for path in folder.iterdir()) == ["Reference_Maps.tar.zst", "metadata.parquet"]
    assert (folder / "Reference_Maps.tar.zst").read_bytes() == CONTENT
    assert result["bytes"] == len(CONTENT) + 4
    assert result["next"] == [f'tar --zstd -xf "{folder}/Reference_Maps.tar.zst" -C "{folder}"']
    json.dumps(result)


def test_files_that_are_there_are_not_fetched_again(site, tmp_path):
    download(job(site, tmp_path), Report())
    site.asked.clear()
    download(job(site, tmp_path, yes=False), Report())  # nothing to agree to
    assert site.asked == []


def test_only_the_chosen_parts_are_fetched(site, tmp_path):
    download(job(site, tmp_path, parts=("metadata",)), Report())
    assert [path.name for path in tmp_path.iterdir()] == ["metadata.parquet"]
    with pytest.raises(BadInput, match="Part 'radar' is not known; use some of maps, metadata"):
        download(job(site, tmp_path, parts=("radar",)), Report())


def test_broken_connections_are_taken_up_where_they_ended(site, tmp_path):
    site.breaks_after = [300_000, 0, 500_000]
    download(job(site, tmp_path, parts=("maps",)), Report())
    assert (tmp_path / "Reference_Maps.tar.zst").read_bytes() == CONTENT
    assert ranges(site) == [None, "bytes=300000-", "bytes=300000-", "bytes=800000-"]


def test_a_network_that_goes_away_is_waited_for(site, tmp_path, monkeypatch):
    receive, lost = Transfer._receive, [OSError(errno.ENETUNREACH, "Network is unreachable")]

    def lose(transfer, answer):
        if lost:
            raise lost.pop()
        receive(transfer, answer)

    monkeypatch.setattr(Transfer, "_receive", lose)
    download(job(site, tmp_path, parts=("maps",)), Report())
    assert (tmp_path / "Reference_Maps.tar.zst").read_bytes() == CONTENT and len(ranges(site)) == 2


def test_an_earlier_run_is_taken_up(site, tmp_path):
    (tmp_path / "Reference_Maps.tar.zst.part").write_bytes(CONTENT[:123_456])
    download(job(site, tmp_path, parts=("maps",)), Report())
    assert (tmp_path / "Reference_Maps.tar.zst").read_bytes() == CONTENT
    assert ranges(site) == ["bytes=123456-"]


def test_a_server_without_ranges_is_asked_for_the_whole_file(site, tmp_path):
    site.knows_ranges = False
    (tmp_path / "Reference_Maps.tar.zst.part").write_bytes(b"x" * 1000)
    logged = []
    download(job(site, tmp_path, parts=("maps",)), Report(on_log=lambda level, text: logged.append(text)))
    assert (tmp_path / "Reference_Maps.tar.zst").read_bytes() == CONTENT
    assert "begins anew" in logged[0]


def test_a_file_that_changed_on_the_server_begins_anew(site, tmp_path):
    site.breaks_after = [100_000] + [0] * 20
    with pytest.raises(BadInput, match="stops coming"):
        download(job(site, tmp_path, parts=("maps",)), Report())
    assert (tmp_path / "Reference_Maps.tar.zst.part").stat().st_size == 100_000
    site.breaks_after.clear()
    site.version = '"2"'
    download(job(site, tmp_path, parts=("maps",)), Report())
    assert (tmp_path / "Reference_Maps.tar.zst").read_bytes() == CONTENT
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Reference_Maps.tar.zst"]


def test_a_part_that_is_longer_than_the_file_is_thrown_away(site, tmp_path):
    (tmp_path / "Reference_Maps.tar.zst.part").write_bytes(CONTENT + b"more")
    download(job(site, tmp_path, parts=("maps",)), Report())
    assert (tmp_path / "Reference_Maps.tar.zst").read_bytes() == CONTENT


def test_damage_is_noticed_and_nothing_of_it_stays(site, tmp_path):
    site.files["Reference_Maps.tar.zst"] = CONTENT[:-1] + b"!"
    with pytest.raises(BadInput, match=r"arrived with the checksum .* published is .*deleted"):
        download(job(site, tmp_path, parts=("maps",)), Report())
    assert list(tmp_path.glob("Reference*[zt]")) == []


def test_a_file_of_another_size_is_refused_before_it_is_fetched(site, tmp_path):
    site.files["Reference_Maps.tar.zst"] = CONTENT + b"more"
    with pytest.raises(BadInput, match=r"has 1024004 bytes .* published are 1024000"):
        download(job(site, tmp_path, parts=("maps",)), Report())


def test_busy_servers_are_asked_again_and_missing_files_are_not(site, tmp_path):
    site.refuses_with = [503, 429]
    download(job(site, tmp_path, parts=("metadata",)), Report())
    assert len(site.asked) == 3
    del site.files["Reference_Maps.tar.zst"]
    site.asked.clear()
    with pytest.raises(BadInput, match="HTTP 404"):
        download(job(site, tmp_path, parts=("maps",)), Report())
    assert len(site.asked) == 1


def test_redirects_are_followed_on_the_web_only(site, tmp_path):
    site.files["elsewhere"] = CONTENT
    site.moved = {"Reference_Maps.tar.zst": f"{site.url}/elsewhere"}
    (tmp_path / "Reference_Maps.tar.zst.part").write_bytes(CONTENT[:10])
    download(job(site, tmp_path, parts=("maps",)), Report())
    assert ("elsewhere", "bytes=10-") in site.asked
    for target in ("file:///etc/passwd", "ftp://127.0.0.1/x"):
        site.moved = {"metadata.parquet": target}
        with pytest.raises(BadInput):
            download(job(site, tmp_path, parts=("metadata",)), Report())


@pytest.mark.parametrize("url", ["file:///tmp", "ftp://127.0.0.1", "nonsense", "http://[::1", "http://h\u00fc.example"])
def test_only_web_addresses_are_servers(url, tmp_path):
    with pytest.raises(BadInput, match="not a web address"):
        download(DownloadJob(dataset="bigearthnet-v2", to=str(tmp_path), url=url, yes=True), Report())


def test_a_server_that_lists_its_own_record_is_taken_at_its_word_and_that_is_said(site, tmp_path):
    site.files = {"Reference_Maps.tar.zst": b"another edition"}
    site.list_like_zenodo()
    result = download(job(site, tmp_path), Report())
    assert (tmp_path / "Reference_Maps.tar.zst").read_bytes() == b"another edition"
    assert "not the published ones" in result["warnings"][0]


@pytest.mark.parametrize("name", ["../outside", "a/b", "..", ".hidden", "/etc/x"])
def test_a_listing_cannot_write_outside_the_folder(site, tmp_path, name):
    site.files = {name: b"x"}
    site.list_like_zenodo()
    with pytest.raises(BadInput, match="cannot be right"):
        download(job(site, tmp_path / "in"), Report())


def test_cancelling_keeps_what_has_arrived(site, tmp_path):
    class Impatient(Report):
        def progress(self, done, first=0.0, last=1.0):
            if done > 0.2:
                self.cancelled.set()
            super().progress(done, first, last)

    report = Impatient()
    with pytest.raises(Cancelled, match="are kept, and the same command goes on"):
        download(job(site, tmp_path, parts=("maps",)), report)
    kept = (tmp_path / "Reference_Maps.tar.zst.part").read_bytes()
    assert 0 < len(kept) < len(CONTENT) and CONTENT.startswith(kept)
    download(job(site, tmp_path, parts=("maps",)), Report())
    assert ranges(site)[-1] == f"bytes={len(kept)}-"


def test_a_disk_that_is_too_small_is_refused_in_one_sentence(site, tmp_path, monkeypatch):
    monkeypatch.setattr("engine.download._free", lambda folder: SPARE_BYTES)
    with pytest.raises(BadInput, match=r"needs 201\.0 MB, but only 200\.0 MB are free"):
        download(job(site, tmp_path), Report())
    assert site.asked == []


def test_a_disk_that_fills_up_is_said_and_the_part_is_kept(site, small_disk, monkeypatch):
    monkeypatch.setattr("engine.download._require_space", lambda folder, missing: None)
    (small_disk / "filler").write_bytes(b"x" * 300_000)
    with pytest.raises(OutputFailed, match=r"cannot be written .* kept"):
        download(job(site, small_disk), Report())
    assert (small_disk / "Reference_Maps.tar.zst.part").stat().st_size > 0


def test_a_file_of_that_name_that_is_not_the_published_one_is_left_alone(site, tmp_path):
    (tmp_path / "metadata.parquet").write_bytes(b"mine, and longer")
    with pytest.raises(BadInput, match="move it away"):
        download(job(site, tmp_path), Report())
    assert (tmp_path / "metadata.parquet").read_bytes() == b"mine, and longer"


def test_where_nobody_can_be_asked_nothing_is_fetched(site, tmp_path):
    command = [sys.executable, "-m", "engine", "download", "bigearthnet-v2", "--to", str(tmp_path), "--url", site.url]
    command += ["--parts", "metadata"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert "metadata.parquet (3.6 MB)" in done.stderr and "--yes" in done.stderr and "free" in done.stderr
    assert site.asked == []


@pytest.mark.parametrize(("answer", "agreed"), [(b"n\n", False), (b"\n", False), (b"y\n", True)])
def test_on_a_terminal_the_user_is_asked(site, tmp_path, answer, agreed):
    site.list_like_zenodo()
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "engine", "download", "bigearthnet-v2", "--to", str(tmp_path), "--url", site.url]
    process = subprocess.Popen(command, cwd=ROOT, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE)
    os.close(theirs)
    said = b""
    while b"[y/N]" not in said:
        said += os.read(ours, 4096)
    assert site.asked == []
    os.write(ours, answer)
    process.communicate(timeout=60)
    os.close(ours)
    assert process.returncode == (0 if agreed else 130)
    assert (tmp_path / "Reference_Maps.tar.zst").exists() == agreed


def test_the_published_record_is_complete_and_safe(monkeypatch):
    monkeypatch.undo()
    real = records.RECORDS["bigearthnet-v2"]
    assert real.base == "https://zenodo.org/records/10891137/files"
    assert readable(sum(file.size for file in real.files)) == "118.0 GB"
    assert all(len(file.md5) == 32 and int(file.md5, 16) for file in real.files)
    assert {file.part for file in real.files} == {"metadata", "maps", "s1", "s2"}
    assert [file.name for file in choose_files(real.files, ("maps",))] == ["Reference_Maps.tar.zst"]
