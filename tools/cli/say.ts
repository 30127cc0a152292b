/** The messages of the command line. What they are given may come from a stranger: file names, tables, models. */
import { say as message } from '../../web/src/messages/cli.js';
import { plain } from './plain.js';

const escaped = (value: unknown): unknown => (typeof value === 'string' ? plain(value) : value);

/** As that of the messages; text among the arguments is escaped (`plain`). */
export const say: typeof message = (key, ...values) => {
  const safe = values.map(
    (each) => each && Object.fromEntries(Object.entries(each).map(([name, value]) => [name, escaped(value)])),
  );
  return message(key, ...(safe as unknown as typeof values));
};
