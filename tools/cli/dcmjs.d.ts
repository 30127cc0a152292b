/** What is used of dcmjs, which brings no types: a writer of files (PS3.10) from the DICOM JSON model. */
declare module 'dcmjs' {
  type Dataset = Record<string, { vr: string; Value?: unknown[] }>;

  export const data: {
    DicomDict: new (meta: Dataset) => { dict: Dataset; write(): ArrayBuffer };
  };
}
