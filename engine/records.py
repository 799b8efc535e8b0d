"""Public data sets that can be downloaded: where they are, how large, and their checksums (facts, no access)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RemoteFile:
    """One file of a record.

    Attributes:
        name: its name, there and here.
        size: bytes.
        md5: checksum as the publisher gives it, hexadecimal.
        part: what the command line calls it.
        address: where it is, if not under the record's address.
    """

    name: str
    size: int
    md5: str
    part: str
    address: str | None = None


@dataclass(frozen=True)
class Record:
    """A data set as published: its address, licence and files."""

    title: str
    base: str
    licence: str
    files: tuple[RemoteFile, ...]

    def part_of(self, name: str) -> str:
        """Part that a file of this name belongs to; the name itself for one that is not known."""
        return next((file.part for file in self.files if file.name == name), name)


RECORDS = {
    "bigearthnet-v2": Record(
        title="BigEarthNet v2.0 (reBEN)",
        base="https://zenodo.org/records/10891137/files",
        licence="CDLA-Permissive-1.0",
        files=(
            # pragma: allowlist nextline secret
            RemoteFile("metadata.parquet", 3_616_349, "55687065e77b6d0b0f1ff604a6e7b49c", "metadata"),
            RemoteFile(
                "metadata_for_patches_with_snow_cloud_or_shadow.parquet",
                710_162,
                # pragma: allowlist nextline secret
                "fe31856f4986d446c9468b59d6387c91",
                "metadata",
            ),
            # pragma: allowlist nextline secret
            RemoteFile("Reference_Maps.tar.zst", 282_391_301, "95d85a222fa983faddcac51a19f28917", "maps"),
            # pragma: allowlist nextline secret
            RemoteFile("BigEarthNet-S1.tar.zst", 54_439_153_171, "a55eaa2cdf6a917e296bd6601ec1e348", "s1"),
            # pragma: allowlist nextline secret
            RemoteFile("BigEarthNet-S2.tar.zst", 63_251_710_377, "2245ed2d1a93f6ce637d839bc856396e", "s2"),
        ),
    ),
}
"""Sizes and MD5 sums as Zenodo publishes them for record 10891137 (version 2.0.0, doi 10.5281/zenodo.10891137),
smallest first."""
