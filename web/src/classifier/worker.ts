/** The module worker in which all work happens. */
import { bindThreadWorkers, type ThreadScope } from './thread-workers.js';
import { type ServerPort, serve } from './worker-server.js';

bindThreadWorkers(self as unknown as ThreadScope);
serve(self as unknown as ServerPort);
