// What `ng run app:TARGET` does in the folder where it is started, without the program around it. A process of its own:
// Angular writes to stdout as it likes, and keeps threads.
//   node ng.mjs build | serve    serve: says `serves ADDRESS`, and goes on until it is ended
import { Architect } from '@angular-devkit/architect';
import { WorkspaceNodeModulesArchitectHost } from '@angular-devkit/architect/node/index.js';
import { schema, workspaces } from '@angular-devkit/core';
import { NodeJsSyncHost } from '@angular-devkit/core/node/index.js';

const [target] = process.argv.slice(2);
const folder = process.cwd();
const registry = new schema.CoreSchemaRegistry();
registry.addPostTransform(schema.transforms.addUndefinedDefaults);
const { workspace } = await workspaces.readWorkspace(folder, workspaces.createWorkspaceHost(new NodeJsSyncHost()));
const architect = new Architect(new WorkspaceNodeModulesArchitectHost(workspace, folder), registry);
const run = await (target === 'serve'
  ? architect.scheduleTarget({ project: 'app', target }, { port: 0, host: '127.0.0.1' })
  : architect.scheduleTarget({ project: 'app', target: 'build', configuration: 'production' }, {}));
const { success, error, baseUrl } = await run.result;
if (!success) {
  console.error(error ?? 'Angular failed.');
  process.exit(1);
}
if (target === 'serve') console.log(`serves ${baseUrl}`);
else await run.stop();
