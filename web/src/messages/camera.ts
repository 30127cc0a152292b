/** The shared messages and those of the camera, which are loaded with it. */
import { messages } from './compiled/en.camera.js';
import type { CameraArguments } from './compiled/keys.js';
import { cameraLanguages } from './compiled/languages.camera.js';
import { withSection } from './say.js';

export const say = withSection<CameraArguments>({ english: messages, languages: cameraLanguages });
