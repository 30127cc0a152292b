/** The module worker in which all work happens. */
import { serve, type ServerPort } from './worker-server.js';

serve(self as unknown as ServerPort);
