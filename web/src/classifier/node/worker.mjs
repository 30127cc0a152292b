// Worker threads do not inherit tsx's loader (Node 20): install it here, then continue in TypeScript.
import { register } from 'tsx/esm/api';

register();
await import('./worker.ts');
