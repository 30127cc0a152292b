/** The module worker in which all work happens. */
import { observeRequests, type Told } from './requests.js';
import { bindThreadWorkers, type ThreadScope } from './thread-workers.js';
import { type ServerPort, serve } from './worker-server.js';

// The first of a process takes long, and later ones nothing, whichever thread makes it: here it holds no page up.
new Intl.NumberFormat();
const port = self as unknown as ServerPort;
const tell = (made: Told) => port.postMessage({ type: 'requests', made }, []);
bindThreadWorkers(self as unknown as ThreadScope, tell);
serve(port);
observeRequests(tell);
