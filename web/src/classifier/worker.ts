/** The module worker in which all work happens. */
import { type ServerPort, serve } from './worker-server.js';

serve(self as unknown as ServerPort);
