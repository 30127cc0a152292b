"""Writes clinic.dcm beside this file: a dermoscopic image as another program writes one (pydicom 3.0.2).

The picture is a drawn one, tests/pictures/spot-422.jpg, in two fragments. Names are in Japanese by code extensions
(PS3.5, H.3.1); the person is the one of the standard's own example. Run it with pydicom installed.
"""

from pathlib import Path

import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, JPEGBaseline8Bit

HERE = Path(__file__).parent
JPEG = HERE.parent.parent / "pictures" / "spot-422.jpg"
DERMOSCOPY = UID("1.2.840.10008.5.1.4.1.1.77.1.7")
ROOT = "1.2.826.0.1.3680043.8.498.77."


def main() -> None:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = DERMOSCOPY
    meta.MediaStorageSOPInstanceUID = UID(f"{ROOT}1")
    meta.TransferSyntaxUID = JPEGBaseline8Bit
    meta.ImplementationClassUID = UID(f"{ROOT}0")

    file = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    file.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
    file.SOPClassUID = DERMOSCOPY
    file.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    file.StudyInstanceUID = UID(f"{ROOT}2")
    file.SeriesInstanceUID = UID(f"{ROOT}3")
    file.PatientName = "Yamada^Tarou=山田^太郎=やまだ^たろう"
    file.PatientID = "0042"
    file.PatientBirthDate = ""
    file.PatientSex = "M"
    file.StudyDate = "20261103"
    file.StudyTime = "101500.25"
    file.TimezoneOffsetFromUTC = "+0900"
    file.AccessionNumber = "A-7"
    file.StudyID = ""
    file.ReferringPhysicianName = ""
    file.StudyDescription = "皮膚"
    file.Modality = "DMS"
    file.InstanceNumber = 1
    file.SamplesPerPixel = 3
    file.PhotometricInterpretation = "YBR_FULL_422"
    file.PlanarConfiguration = 0
    file.Rows = 180
    file.Columns = 240
    file.BitsAllocated = 8
    file.BitsStored = 8
    file.HighBit = 7
    file.PixelRepresentation = 0
    file.LossyImageCompression = "01"
    file.PixelData = encapsulate([JPEG.read_bytes()], fragments_per_frame=2)
    file["PixelData"].is_undefined_length = True
    pydicom.dcmwrite(HERE / "clinic.dcm", file, enforce_file_format=True)


if __name__ == "__main__":
    main()
