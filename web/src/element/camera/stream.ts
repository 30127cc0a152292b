/** A camera's stream: which one, why there is none, and the part of its picture that is framed. */
import { within } from '../../classifier/inner.js';

export type Cause = 'refused' | 'missing' | 'busy' | 'blocked' | 'failed';

/**
 * Why there is no picture.
 * @param error what `getUserMedia` rejected with
 * @param allowed whether the page's policy allows a camera; undefined: the browser does not tell
 */
export function causeOf(error: unknown, allowed: boolean | undefined): Cause {
  switch ((error as { name?: unknown } | null)?.name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return allowed === false ? 'blocked' : 'refused';
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'missing';
    case 'NotReadableError':
    case 'AbortError':
      return 'busy';
    default:
      return 'failed';
  }
}

/** Whether this document may use a camera; undefined where the browser does not tell. */
export function allowedHere(): boolean | undefined {
  const { featurePolicy } = document as { featurePolicy?: { allowsFeature(name: string): boolean } };
  return featurePolicy?.allowsFeature('camera');
}

/** The camera that looks away from the person, or the one that was chosen; as large as it gives without effort. */
export function wanted(deviceId: string | null): MediaStreamConstraints {
  const size = { width: { ideal: 1920 }, height: { ideal: 1440 } };
  return {
    audio: false,
    video:
      deviceId === null
        ? { ...size, facingMode: { ideal: 'environment' } }
        : { ...size, deviceId: { exact: deviceId } },
  };
}

/** Of the shorter side of the picture that the frame leaves free at each end. */
const MARGIN = 0.06;

interface Size {
  width: number;
  height: number;
}

/**
 * The largest frame of a shape in the middle of a picture, with a margin.
 * @param shape as `ModelInfo.cropShape`; null: a square
 * @returns whole pixels of the picture
 */
export function frameIn(picture: Size, shape: Size | null): Size & { x: number; y: number } {
  const { width, height } = shape ?? { width: 1, height: 1 };
  const free = 1 - 2 * MARGIN;
  const scale = Math.min((picture.width * free) / width, (picture.height * free) / height);
  const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
  return { x: Math.round((picture.width - w) / 2), y: Math.round((picture.height - h) / 2), width: w, height: h };
}

/** What browsers know that TypeScript's library does not. */
interface TorchCapabilities extends MediaTrackCapabilities {
  torch?: boolean;
}

export const hasTorch = (track: MediaStreamTrack): boolean =>
  (track.getCapabilities?.() as TorchCapabilities | undefined)?.torch === true;

export const setTorch = (track: MediaStreamTrack, torch: boolean): Promise<void> =>
  track.applyConstraints({ advanced: [{ torch } as MediaTrackConstraintSet] });

interface Capture {
  takePhoto(): Promise<Blob>;
}
type CaptureOf = new (track: MediaStreamTrack) => Capture;

/** Milliseconds: some cameras never answer. */
const PHOTO_WITHIN = 4000;

/** The best picture that the browser can take; else the live picture as large as it comes. */
export async function takePhoto(track: MediaStreamTrack, video: HTMLVideoElement): Promise<Blob> {
  const { ImageCapture } = globalThis as { ImageCapture?: CaptureOf };
  if (ImageCapture) {
    try {
      return await within(new ImageCapture(track).takePhoto(), PHOTO_WITHIN, 'The camera');
    } catch {
      // Not by this camera, or not in time.
    }
  }
  const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
  canvas.getContext('2d')!.drawImage(video, 0, 0);
  return canvas.convertToBlob({ type: 'image/jpeg', quality: 0.95 });
}
