/**
 * Angular with its own build and strict templates; `skin.ts`, and what is added to `angular.json`, are those of
 * docs/embedding.md.
 */
import { bootstrapApplication } from '@angular/platform-browser';
import { Skin } from './skin';

bootstrapApplication(Skin).catch((error) => console.error(error));
