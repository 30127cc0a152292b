/** The messages of the command line. What they are given may come from a stranger: file names, tables, models. */
import { say as message } from '../../web/src/messages/cli.js';
import { say as messageOfHeads } from '../../web/src/messages/head.js';
import { plain } from './plain.js';

const escaped = (value: unknown): unknown => (typeof value === 'string' ? plain(value) : value);

const safe = <Values extends unknown[]>(values: Values): Values =>
  values.map(
    (each) => each && Object.fromEntries(Object.entries(each).map(([name, value]) => [name, escaped(value)])),
  ) as Values;

/** As that of the messages; text among the arguments is escaped (`plain`). */
export const say: typeof message = (key, ...values) => message(key, ...safe(values));

/** The same for what is said of heads here and in the page. */
export const sayOfHeads: typeof messageOfHeads = (key, ...values) => messageOfHeads(key, ...safe(values));
