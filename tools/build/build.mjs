// npm run build: the static site in dist/, ready for any web server and any sub-path.
import { everything } from './artifacts.mjs';
import { main, say, seconds } from './steps.mjs';

await main(async () => {
  const began = performance.now();
  await everything();
  say(`The site is in dist/ (${seconds(began)}).`);
});
