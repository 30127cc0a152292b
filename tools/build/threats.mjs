// biome-ignore-all lint/suspicious/noTemplateCurlyInString: titles are named as they stand in the tests
// The threat model's rows: who may do what, what is done against it and where, the tests that show it, and what is left
// open. `npm run generate` writes them into docs/threat-model.md, `npm run attack` runs the tests and says how each row
// stands, and threats.test.mjs checks that every file and title named here exists.
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { root } from './steps.mjs';

/**
 * @typedef {object} Threat
 * @property {string} id  stable: reports name it
 * @property {string} may  what the actor may do
 * @property {string} holds  what is done against it
 * @property {readonly string[]} where  files and folders that do it
 * @property {Readonly<Record<string, readonly string[]>>} tests  titles by file of tests, as they stand there, with
 *   `%s` and `${...}` for what varies; no titles: all of the file. No files: not tested
 * @property {string} open  what is not defended; empty: nothing known
 *
 * @typedef {object} Actor
 * @property {string} title
 * @property {readonly Threat[]} threats
 */

/** @type {readonly Actor[]} */
export const ACTORS = [
  {
    title: 'A page or frame of another origin',
    threats: [
      {
        id: 'frame',
        may: 'show the page in a frame and lay its own buttons over it',
        holds: 'In a frame of another origin the page takes no photo, and offers a window of its own.',
        where: ['web/src/page/framed.ts'],
        tests: {
          'tests/e2e/neighbours.spec.ts': [
            'in a frame of a stranger it takes no photo, and opens on its own',
            'in a frame of its own site it works as before',
            'in a frame of an origin that the page names it works',
            'in a frame of a stranger the example form has no element',
          ],
          'tests/exactness/frame.spec.ts': [
            'the page itself takes no photo in a frame of a stranger, and fetches no engine',
          ],
        },
        open: 'A page that embeds the element (dermlet.js) sees all that it sees: the element is part of that page.',
      },
      {
        id: 'embed-stranger',
        may: 'show embed.html, the page for frames, also around a portal that may, or speak to it from beside',
        holds:
          'It starts only where every page around it is of an origin in `embed.json`, and answers only the one ' +
          'directly around it, once, through a port that came with its first message.',
        where: ['web/src/page/embed.ts', 'web/src/page/embed-messages.ts', 'web/src/page/framed.ts'],
        tests: {
          'tests/e2e/frame.spec.ts': [
            'a stranger ${what} gets nothing, and the frame takes no photo',
            'a portal that is named cannot lend its frame to a stranger around it',
            'a named page that is not directly around it is not answered',
            'malformed messages and other versions are refused; nothing of them is taken',
            'a frame whose page went elsewhere is told nothing',
          ],
          'tests/web/embed-messages.test.ts': [],
          'tests/web/framed.test.ts': [],
          'tests/exactness/frame.spec.ts': [
            'a frame starts in a portal that is named, and in no other page',
            'a frame does not start in a portal that a stranger shows',
            'a stranger around a frame that a portal led to the page gets no answer',
          ],
        },
        open:
          'A portal that is named can lay things over the frame: name only those that may have the answers. Firefox ' +
          'tells the referrer alone: where a stranger shows a page of the portal that leads to embed.html, the frame ' +
          'starts and answers nobody. The header `frame-ancestors` forbids that.',
      },
      {
        id: 'embed-photo',
        may: 'ask for the photo, as a portal that embeds the element in a form or shows embed.html',
        holds:
          'A box, not ticked at first, names the receiver. It holds for the photos that were there and that receiver ' +
          'alone. What is sent is encoded anew: no EXIF, no place, no name of a file. No answer goes by GET.',
        where: ['web/src/element/form', 'web/src/element/in-form.ts'],
        tests: {
          'tests/e2e/form.spec.ts': [
            'the answer travels with the form, the photo does not',
            'with consent the photo goes too, without what its file held, under another name',
            'consent is about these photos and this receiver, and no others',
            'nothing of an answer is put into an address',
            'a reset forgets photos, answers and consent; going back restores none',
          ],
          'tests/e2e/frame.spec.ts': ['the photo is handed over only if it is asked for and the box is ticked'],
        },
        open:
          'The element is part of the page that embeds it, which can read the file itself and tick the box: only the ' +
          'frame keeps the photo from a page that does not do as it says.',
      },
      {
        id: 'words-of-an-address',
        may: 'link to the page with a text of its own in the address',
        holds: 'What the address says of a model is shown nowhere, and is taken only where the site has such a model.',
        where: ['web/src/page/choose-model.ts'],
        tests: { 'tests/e2e/strangers.spec.ts': ['what the address says of a model is shown nowhere'] },
        open: '',
      },
      {
        id: 'address-of-a-photo',
        may: 'have the API fetch a photo from an address of another origin',
        holds: 'Addresses are fetched from the own origin only.',
        where: ['web/src/classifier/given.ts'],
        tests: {
          'tests/web/given.test.ts': ['of the page’s own origin is fetched, and from nowhere else', '%s is refused'],
        },
        open: '',
      },
      {
        id: 'host-page-policy',
        may: 'embed the element under a policy that binds its workers less, or keeps them from starting',
        holds: 'A refusal is told as one. Where `blob:` is not allowed the worker starts from its address.',
        where: ['web/src/classifier/browser-worker.ts', 'web/src/classifier/causes.ts'],
        tests: {
          'tests/e2e/causes.spec.ts': [
            "the page's policy says ${policy}",
            'a page that requires Trusted Types names the policies that the guide does',
          ],
          'tests/exactness/policy.spec.ts': [
            'where the policy forbids workers of a line, the worker starts from its address',
          ],
        },
        open: 'Then only the policy that the server sends with the script binds the worker (docs/hosting.md).',
      },
    ],
  },
  {
    title: 'A neighbour on the same origin',
    threats: [
      {
        id: 'neighbour-changes-what-is-kept',
        may: 'change scripts, binaries and networks in Cache Storage',
        holds: 'Each is known by its sha256 and checked each time it is read back; what is wrong is fetched again.',
        where: ['web/src/sw/sw.ts', 'web/src/classifier/file-store.ts', 'web/src/classifier/model-store.ts'],
        tests: {
          'tests/e2e/offline.spec.ts': [
            'what the host sends in place of a script is not kept, and a kept copy that was changed is fetched again',
          ],
          'tests/web/model-store.test.ts': [
            'a wrong kept copy is thrown away and fetched anew',
            'a damaged kept copy is thrown away',
          ],
        },
        open: 'The kept manifest, used without a network, is not signed: a neighbour may replace model and manifest.',
      },
      {
        id: 'neighbour-clears',
        may: 'clear storage, fill the quota, or hold what Cache Storage answers',
        holds: 'There is a result without any storage, and nothing is called kept that is not.',
        where: ['web/src/classifier/file-store.ts', 'web/src/classifier/cache-storage.ts', 'web/src/sw/sw.ts'],
        tests: {
          'tests/e2e/offline.spec.ts': [
            'what was cleared of the page is kept again with the next visit, what was not asked for too',
          ],
          'tests/e2e/storage.spec.ts': [
            'a full device gives a result, and nothing is called kept',
            'storage cleared in mid-session: the next photo has its result, and all is kept again',
            'storage cleared while the worker lives is no fault of that',
            'storage denied, as by a browser that blocks all site data: a result',
          ],
          'tests/e2e/limits.spec.ts': [
            'Cache Storage that never answers, in worker and page: ready, with a result',
            'Cache Storage that falls silent under the service worker: the page comes',
            'Cache Storage that falls silent while the service worker starts: the page comes',
          ],
        },
        open: '',
      },
      {
        id: 'neighbour-harmed',
        may: 'be harmed by the service worker, whose scope its pages may lie in',
        holds: 'Isolation is put on the own files of the site alone.',
        where: ['web/src/sw/sw.ts'],
        tests: {
          'tests/e2e/neighbours.spec.ts': [
            "a neighbour's page below the site's folder loads as before, pictures of other origins included",
          ],
        },
        open: '',
      },
      {
        id: 'neighbour-speaks',
        may: 'write to the page and its service worker: requests that were not made, a new version taken unasked',
        holds:
          'The page hears its own service worker alone, and that one the pages of its folder. Workers hear nobody ' +
          'but the page that started them.',
        where: ['web/src/classifier/requests.ts', 'web/src/sw/sw.ts', 'web/src/classifier/bootstrap.ts'],
        tests: {
          'tests/e2e/neighbours.spec.ts': [
            "a neighbour's service worker cannot put words or requests into the page's count",
          ],
          'tests/e2e/offline.spec.ts': ['a neighbour outside of its folder cannot make it take a new version'],
        },
        open:
          'Locks and channels are the origin’s: a neighbour may have the page take its worker for ended, or look ' +
          'again at what is kept. A page below the site’s folder counts as one of the site.',
      },
      {
        id: 'neighbour-service-worker',
        may: 'register a service worker that sees and answers the page’s requests, or read the page in a frame',
        holds: 'Nothing: for the browser it is the same site. An origin of its own keeps neighbours out.',
        where: ['docs/hosting.md'],
        tests: {},
        open: 'All of it, on a shared origin.',
      },
    ],
  },
  {
    title: 'A network in between, a captive portal',
    threats: [
      {
        id: 'other-bytes',
        may: 'send other bytes in place of scripts, binaries or networks: a sign-in page, half a file, one flipped bit',
        holds:
          'Hashes that the build wrote are checked before a file is kept, used or run: those of the scripts that a ' +
          'page needs at once by the browser, those of what comes later (parts, words, the worker, its parts, ONNX ' +
          'Runtime, libheif) by the code that starts them; an error names what came.',
        where: [
          'web/src/classifier/file-store.ts',
          'web/src/classifier/scripts.ts',
          'web/src/classifier/download.ts',
          'web/src/sw/sw.ts',
          'tools/build/seal.mjs',
        ],
        tests: {
          'tests/e2e/model.spec.ts': [
            'a model with one byte flipped is refused; once it is correct, retrying works',
            '${what} is reported plainly',
            '${what} is noticed, not kept, and mended when the host is',
          ],
          'tests/web/model-store.test.ts': [
            'an HTML page in its place is said so, by type and by content',
            'a page of a captive portal does not hide the kept copy',
            'with one byte flipped is refused and not kept',
            'shorter, longer or a page in its place',
          ],
          'tests/web/file-store.test.ts': [
            'that grows beyond its size is refused',
            'a wrong copy in the HTTP cache is fetched again past it; a wrong one at the host is an error',
          ],
          'tests/e2e/offline.spec.ts': ['a wrong copy that the HTTP cache holds for good is fetched past it'],
          'tests/e2e/causes.spec.ts': [
            'a script of it is not the one that was built: ${chunk}',
            '${name} is not the one that was built',
            'what decodes HEIC is not what was built: ${begin}',
            'a part that is fetched later is not the one that was built, and comes when it is',
            'words of another language that are not those that were built are not said',
            'a wrong copy in the browser’s cache is fetched anew',
          ],
          'tools/build/site.test.mjs': [
            'names the scripts and styles that it needs at once with their hashes',
            'knows the hash of every script that comes later',
          ],
          'tests/web/runtime.test.ts': [
            'an HTML page in place of a binary is said so',
            'one flipped bit is refused, and the error names the file',
          ],
        },
        open:
          'The page itself, and the stable entries `dermlet.js` and `embed.js`, whose names do not change with them, ' +
          'are known by nothing but https. A script is compared and then imported, which takes it from the ' +
          'browser’s cache: who answers both requests, with other bytes to the second, is not noticed. In the npm ' +
          'package no hash is known, as bundlers make its scripts anew.',
      },
      {
        id: 'half-an-update',
        may: 'let only half of a new version come',
        holds: 'A version is taken whole or not at all; what is kept goes on.',
        where: ['web/src/classifier/worker-server.ts', 'web/src/classifier/model-store.ts', 'web/src/sw/sw.ts'],
        tests: {
          'tests/e2e/model.spec.ts': ['a new version whose network ${what} leaves the kept one in use, until it comes'],
          'tests/e2e/storage.spec.ts': [
            'an update on a full device leaves what is kept, which still answers when the host is gone',
            'a tab that updates leaves what another uses, until that is done',
          ],
          'tests/web/model-store.test.ts': [
            'is not kept when a file of its version could not be: what was kept before stays',
          ],
        },
        open: '',
      },
      {
        id: 'silence',
        may: 'never answer, stop in the middle, or be very slow',
        holds: 'Every wait has a limit (`limits.ts`), and what is slow is called slow.',
        where: ['web/src/classifier/limits.ts', 'web/src/classifier/within.ts'],
        tests: {
          'tests/e2e/limits.spec.ts': [
            'while idle: the next call does not notice',
            'in a call: that call fails at once, and the next has a new worker',
            'Cache Storage that never answers, in worker and page: ready, with a result',
            'Cache Storage that falls silent under the service worker: the page comes',
            'the same for a script of another version: it comes from the network',
            'Cache Storage that falls silent while the service worker starts: the page comes',
            '2 kB/s is told as a slow connection, with the time that is left',
            'a download that stands still is given up after a minute, and can be tried again',
          ],
          'tests/web/limits.test.ts': [],
        },
        open: '',
      },
      {
        id: 'redirected-script',
        may: 'redirect a script of the engine to another origin',
        holds: 'The page’s policy, which workers inherit, refuses it.',
        where: ['web/src/classifier/bootstrap.ts', 'web/src/classifier/thread-workers.ts'],
        tests: {
          'tests/exactness/policy.spec.ts': [
            "a script of ONNX Runtime's that is redirected to another origin does not run",
          ],
        },
        open: 'In the npm package, which has no hashes, WebKit follows a redirected worker script, bound by policy.',
      },
    ],
  },
  {
    title: 'Code that runs where the photo is',
    threats: [
      {
        id: 'photo-sent',
        may: 'send the photo, or anything made of it, away',
        holds:
          'There is no upload. Page, worker and threads are bound to the own origin by the content policy, and ' +
          'requests are GET without a body.',
        where: ['web/index.html', 'web/src/classifier/bootstrap.ts'],
        tests: {
          'tests/exactness/policy.spec.ts': [
            'code in the worker reaches no other origin, on the first visit',
            'code in the worker and its threads reaches no other origin, on later visits',
          ],
          'tests/e2e/classify.spec.ts': [
            'no request leaves while a photo is classified',
            'only GET requests without a body are sent',
          ],
          'tests/e2e/privacy.spec.ts': ["the page's policy allows no other origin, no eval and no form"],
          'tools/build/site.test.mjs': [
            'has a strict policy, and nothing in the page violates it',
            'calls no other host in its scripts',
          ],
        },
        open:
          'The service worker is bound by a policy only where the host sends one with sw.js (docs/hosting.md); it ' +
          'sees a photo that is sent to a retired server’s address. Requests to the own origin are allowed. A ' +
          'content policy binds neither where a page navigates nor WebRTC: code in the page itself, which only the ' +
          'host can put there, could use both.',
      },
      {
        id: 'markup',
        may: 'have a text of a model, a file or an address become markup, a script or a worker of the page',
        holds:
          'Templates escape every text (Lit). Where browsers know Trusted Types the page requires them, and names ' +
          'two policies: that of the templates and one for the addresses of its workers.',
        where: ['web/index.html', 'web/src/classifier/bootstrap.ts'],
        tests: {
          'tests/e2e/privacy.spec.ts': ['no text becomes markup, a script or a worker'],
          'tests/e2e/causes.spec.ts': ['a page that requires Trusted Types names the policies that the guide does'],
        },
        open: 'Browsers that know no Trusted Types, Firefox 140 among them, have the escaping alone.',
      },
      {
        id: 'one-file-calls-out',
        may: 'call out from the page that is one file, when the network is there',
        holds: 'Its policy forbids every connection, and knows its scripts and styles by their hashes.',
        where: ['tools/build/single.mjs', 'web/src/classifier/single-file.ts'],
        tests: {
          'tests/e2e/single.spec.ts': [
            'from a file without a network, a photo is scored as on the site, and nothing is asked for',
            'its policy forbids every connection, and no script but its own runs',
            'with the network there, nothing in its page or its worker reaches anybody',
            'every link leads to a part of the file',
          ],
          'tests/exactness/single.spec.ts': ['from a file a photo is scored as by the site'],
        },
        open: 'Who gives the file on can change it: compare its sha256 with that of a build of one’s own.',
      },
      {
        id: 'counter-lies',
        may: 'make requests that the page’s counter does not see',
        holds:
          'Page, workers, their threads and service worker are all counted; where a browser records none there is no ' +
          'number.',
        where: [
          'web/src/classifier/requests.ts',
          'web/src/classifier/thread-workers.ts',
          'web/src/element/request-count.ts',
        ],
        tests: {
          'tests/e2e/requests.spec.ts': [
            'a photo chosen at once: every request since is counted, of page, worker and service worker',
            'a second visit, isolated and with a service worker that answers: every request is counted, and no other',
            'a host that isolates by itself, without a service worker: the requests of threads are counted too',
            'once the page is idle a HEIC causes no request either',
            'where a browser records no requests there is no number',
          ],
        },
        open: 'WebRTC and navigation are not in any browser’s record.',
      },
      {
        id: 'proof',
        may: 'promise that the page works without a network when it does not',
        holds:
          'The proof (disconnect, choose a photo) is offered while all that a photo needs is kept, and then withdrawn.',
        where: ['web/src/classifier/worker-server.ts', 'web/src/element/session.ts'],
        tests: {
          'tests/e2e/requests.spec.ts': [
            'the proof works for hours: ${what}',
            'what is not kept on this device is not called so',
            'the proof is withdrawn when storage is cleared afterwards: ${what}',
          ],
        },
        open: 'Storage that is cleared is noticed within some seconds, by looking.',
      },
    ],
  },
  {
    title: 'A hostile model or manifest',
    threats: [
      {
        id: 'manifest',
        may: 'name what is not there, contradict itself, or leave its folder',
        holds:
          'Every field is checked by the contract’s schema and by what a schema cannot say; errors name the field.',
        where: ['contract/documents.json', 'web/src/classifier/manifest.ts', 'web/src/classifier/reading.ts'],
        tests: {
          'tests/web/manifest.test.ts': [
            'agree on every field removed, replaced and added',
            'both refuse %j as a whole',
            'a path that leaves the folder',
            'numbers too large for a double',
            'a field named %s',
            'a modality named %s, whose limits would be passed over',
            'a field that stands twice is its last',
            'nested a hundred thousand deep, %s',
          ],
          'tests/web/asset-base.test.ts': ['are none that every object has'],
          'tests/web/models.test.ts': [
            'is read by parser and schema alike, whatever is wrong with it',
            'names each model once and has one default',
          ],
        },
        open: '',
      },
      {
        id: 'words-of-a-model',
        may: 'speak in the page’s voice, reorder its text, or push the advice to see a doctor out of view',
        holds: 'Names are one line of bounded length without control or bidi characters, and set apart (`bdi`).',
        where: ['contract/documents.json', 'web/src/element/html.ts', 'web/src/element/strangers.ts'],
        tests: {
          'tests/e2e/strangers.spec.ts': [
            'names as long as they may be push neither the doctor nor the purpose out of view',
            'a model whose category has a name ${what} is refused',
          ],
          'tests/web/cli-files.test.ts': [
            "a foreign model's names are set apart, and cannot pass for the tool's own",
            'names that would act on a terminal are refused, and do not act in the refusal',
          ],
        },
        open: 'A name within the limits may still be a lie; the page marks a model that is not the site’s own.',
      },
      {
        id: 'model-answers',
        may: 'answer what no network may: outputs of other sizes, probabilities that are none, not-numbers',
        holds: 'Outputs are held to the manifest, probabilities to 0 to 1 and a sum of 1, in every view.',
        where: ['web/src/classifier/network.ts', 'wasm_src/core/decision'],
        tests: {
          'tests/web/engine.test.ts': ['a manifest that does not fit its network is refused'],
          'tests/core/pipeline_test.cc': [
            'Pipeline.InterpretHoldsEveryViewAndTheFrameToProbabilities',
            'Pipeline.WrongSpecsAreRefused',
          ],
          'tests/fuzz/interpret_fuzz.cc': [],
          'tests/fuzz/rejection_fuzz.cc': [],
        },
        open: 'What a network scores wrongly within these bounds: see the model cards.',
      },
      {
        id: 'model-never-ends',
        may: 'be a graph that runs for ever or needs all memory',
        holds:
          'On the command line a picture, and a model that is checked, has a limit of time. No limit of memory is ' +
          'set there: what bounds a running network is WebAssembly’s memory, 4 GiB for each engine, and to ask for ' +
          'more is an error. A model’s file is read up to the size that its manifest states, below 2 GiB. In the ' +
          'page a silent worker is ended.',
        where: ['tools/cli/pool.ts', 'web/src/classifier/engine-worker.ts'],
        tests: {
          'tests/web/cli-check-model.test.ts': [
            '%s: an error with its code, checked or written; its thread ends, and others answer',
          ],
          'tests/web/cli-files.test.ts': ['time limits'],
          'tests/web/limits.test.ts': ['in a call; one that works for long and says so is left alone'],
          'tests/web/thread.test.ts': [],
        },
        open:
          'A graph may occupy the page’s worker until Cancel, and the memory that the browser gives a tab; on the ' +
          'command line 4 GiB for each engine and the model’s files beside, which a machine may not have.',
      },
      {
        id: 'model-elsewhere',
        may: 'be fetched from another origin, which then learns who uses it',
        holds: 'The policy must allow the origin; no Referer is sent.',
        where: ['web/index.html', 'web/src/classifier/download.ts'],
        tests: {
          'tests/exactness/policy.spec.ts': [
            'a model of another origin is fetched only where the policy allows, and is not told from where',
          ],
        },
        open: 'That origin sees the visitor’s address, as of any request.',
      },
      {
        id: 'keras-import',
        may: 'run code, hang or exhaust the machine when a Keras model or a class index is imported',
        holds:
          'Nothing of the file is executed: HDF5, zip, JSON and pickle are read by bounded readers. The import runs ' +
          'in a process with limits of memory (Linux), processor time (Linux, macOS) and wall time.',
        where: ['tools/train/dermlet_train'],
        tests: {
          'tools/train/tests/test_import_attacks.py': [],
          'tools/train/tests/test_confined.py': [],
        },
        open: 'On Windows wall time alone is bounded.',
      },
    ],
  },
  {
    title: 'A hostile picture',
    threats: [
      {
        id: 'out-of-bounds',
        may: 'make the C++ core read or write out of bounds',
        holds: 'Every bound is checked; the readers are fuzzed under the sanitizers, and run in WebAssembly.',
        where: ['wasm_src/core/formats', 'wasm_src/core/colour'],
        tests: {
          'tests/core/damage_test.cc': [],
          'tests/fuzz/bmp_fuzz.cc': [],
          'tests/fuzz/builds_fuzz.cc': [],
          'tests/fuzz/exif_fuzz.cc': [],
          'tests/fuzz/icc_fuzz.cc': [],
          'tests/fuzz/inspect_fuzz.cc': [],
          'tests/fuzz/jpeg_fuzz.cc': [],
          'tests/fuzz/pipeline_fuzz.cc': [],
          'tests/fuzz/png_fuzz.cc': [],
          'tests/fuzz/scaled_fuzz.cc': [],
        },
        open: '',
      },
      {
        id: 'bombs',
        may: 'ask for much memory or time with few bytes',
        holds:
          'Limits (64 MiB, 64 million pixels) hold before anything is allocated; loops, scans and tables are counted.',
        where: ['wasm_src/core/formats'],
        tests: {
          'tests/core/bombs_test.cc': [],
          'tests/core/decode_test.cc': ['Decode.LimitsAreHeldBeforeAnythingIsAllocated'],
          'tests/e2e/api.spec.ts': [
            'files over the limit are refused unread, and decompression bombs after their header',
          ],
          'tests/e2e/memory.spec.ts': [
            'a photo that needs more memory than available is refused as too large, and the next one works',
          ],
          'tests/core/module_smoke.mjs': ['wherever it runs out, the answer is a tensor or IMAGE_TOO_LARGE'],
        },
        open: '',
      },
      {
        id: 'shown-before-read',
        may: 'exhaust the browser’s own decoders when the page shows the file',
        holds: 'Only files that the core has accepted are displayed.',
        where: ['web/src/element/photo-view.ts', 'web/src/element/session.ts'],
        tests: {
          'tests/e2e/refused-files.spec.ts': [
            'a small file that says it is 60000 x 60000 is refused and never displayed',
          ],
          'tests/web/similar.test.ts': [
            'a picture that the core refuses is not displayed, and what it reads is, whatever the network says',
          ],
        },
        open: '',
      },
      {
        id: 'foreign-headers',
        may: 'hide its size, or loop, in the boxes of a WebP, AVIF or HEIC',
        holds: 'The core reads their headers and holds sizes to the limits before anybody decodes.',
        where: ['wasm_src/core/formats/foreign'],
        tests: {
          'tests/core/foreign_test.cc': [
            'Foreign.SizesOverTheLimitAreRefusedBeforeAnythingIsDecoded',
            'Foreign.CutAtEveryByteEachIsAnswered',
            'Foreign.EveryHeaderByteFlippedIsAnswered',
            'Foreign.PixelsOfAnotherSizeOrForAnotherFileAreRefused',
          ],
        },
        open: '',
      },
      {
        id: 'coded-size',
        may: 'state a small size and be coded at a huge one: in the data of an AVIF or HEIC, or in an animation there',
        holds:
          'The sizes in AV1’s and HEVC’s sequence headers are held to the same limits, wherever they lie. Decoders ' +
          'get no animation.',
        where: ['wasm_src/core/formats/foreign/coded.cc', 'wasm_src/core/formats/foreign/heif.cc'],
        tests: {
          'tests/core/coded_test.cc': [],
          'tests/core/foreign_test.cc': ['Foreign.TheCopyForDecodersHasNoAnimation'],
        },
        open:
          'The tiles of a grid are bounded one by one, not together. Pictures in HEIF whose coding is neither AV1 ' +
          'nor HEVC are left to the decoder.',
      },
      {
        id: 'foreign-decoders',
        may: 'crash, hang or mislead the decoders of WebP, AVIF and HEIC, which are not this project’s',
        holds:
          'They run in WebAssembly (in browsers: HEIC alone), an instance a picture, and what they give is held to ' +
          'the header that the core has read.',
        where: ['web/src/classifier/libheif.ts', 'web/src/classifier/node/decoder.ts', 'web/src/classifier/core.ts'],
        tests: {
          'tests/fuzz/foreign_fuzz.ts': [],
          'tests/web/foreign.test.ts': ['that is broken is CORRUPT_IMAGE'],
          'tests/e2e/foreign.spec.ts': ['a file that cannot be decoded is reported, and the next photo works'],
        },
        open: 'The browser’s own decoders of WebP and AVIF run outside of WebAssembly, as for any picture of any page.',
      },
      {
        id: 'hangs',
        may: 'never be done: a file of a drive that does not answer, a decoder that does not come back',
        holds: 'Reading and decoding have limits of time, and Cancel lets the next photo go.',
        where: ['web/src/classifier/given.ts', 'web/src/classifier/limits.ts'],
        tests: {
          'tests/web/limits.test.ts': [
            'is given up, and until then Cancel lets the next photo go',
            'an adapter, and a decoder, that never answer',
          ],
        },
        open: '',
      },
      {
        id: 'odd-names',
        may: 'have a name that reorders, fills or forges what is shown',
        holds: 'Names are set apart and bounded; they leave with their photo.',
        where: ['web/src/element/strangers.ts', 'web/src/element/html.ts'],
        tests: {
          'tests/e2e/strangers.spec.ts': [
            'the name of a file cannot reorder or fill the page, and leaves with its photo',
          ],
          'tests/e2e/causes.spec.ts': [
            'a dropped folder is read at every depth; what is no picture is passed over',
            'a dropped folder of odd names, links in a circle and a pipe is read, and says nothing of its own',
          ],
        },
        open: '',
      },
    ],
  },
  {
    title: 'A hostile folder or archive for the command line',
    threats: [
      {
        id: 'cli-files',
        may: 'hold links to devices, pipes, endless files, names that are not UTF-8',
        holds: 'Only regular files are read, and at most 64 MiB of each.',
        where: [
          'web/src/classifier/node/regular-file.ts',
          'web/src/classifier/node/picture-file.ts',
          'tools/cli/pictures.ts',
        ],
        tests: {
          'tests/web/cli-files.test.ts': [
            'only regular files are read, and no more than 64 MiB of them',
            'an archive with pipes, devices and endless files in it is read, and they fail as pictures do',
            'names that are not UTF-8',
            'what is no picture is named, what is no file is refused at once, and the rest is answered',
          ],
        },
        open: '',
      },
      {
        id: 'cli-tables',
        may: 'hold labels that are no labels: contradictions, words that every JavaScript object knows',
        holds: 'Tables are read by a library, counted in maps; what is left out is named with its number.',
        where: ['tools/cli/labels.ts', 'tools/cli/evaluate.ts'],
        tests: {
          'tests/web/cli-files.test.ts': ['a picture counts once, and contradictions are named'],
          'tests/web/cli.test.ts': ['measures, writes both files whole, and drops nothing silently'],
        },
        open: '',
      },
      {
        id: 'cli-terminal',
        may: 'forge lines of output, or speak to the terminal, by the names of files and classes',
        holds: 'Strangers’ words pass `plain.ts`; stdout belongs to the tool.',
        where: ['tools/cli/plain.ts', 'tools/cli/output.ts'],
        tests: {
          'tests/web/cli-files.test.ts': [
            'the same file name for people forges no line',
            'what cannot be seen is written out',
            'a foreign name is in quotes and ends',
          ],
        },
        open: '',
      },
      {
        id: 'cli-output',
        may: 'be lost: a full disk, a reader that stops, an interruption',
        holds: 'Writes go on until all is written, or fail loudly; figures are kept elsewhere.',
        where: ['tools/cli/output.ts', 'tools/cli/resume.ts', 'tools/cli/answers.ts'],
        tests: {
          'tests/web/shard.test.ts': [
            'a run that was ended gives the figures, predictions and report of one that was not',
          ],
          'tests/web/output.test.ts': [],
          'tests/web/cli-files.test.ts': [
            'classify %s fails loudly',
            'evaluate keeps its figures elsewhere and says where',
            'writes go on until all is written',
          ],
        },
        open: '',
      },
      {
        id: 'dev-server',
        may: 'read files outside of the site through `npm start`',
        holds: 'Paths are held to the folder that is served, links included.',
        where: ['tools/build/serve.mjs'],
        tests: { 'tools/build/scripts.test.mjs': ['serves nothing outside its root: ${path}'] },
        open: 'The development server is for the own machine and no host.',
      },
    ],
  },
  {
    title: 'The host',
    threats: [
      {
        id: 'host',
        may: 'change the page that it serves',
        holds: 'Nothing: who controls the origin controls the page. What anyone can check is said in the page.',
        where: ['docs/hosting.md'],
        tests: {},
        open: 'All of it.',
      },
      {
        id: 'shared-photo',
        may: 'be sent a photo that a person shares to the installed app, while its service worker is gone',
        holds:
          'There is no share target. A photo comes to the installed page by the device’s file handler, by paste, by ' +
          'dropping or by choosing, never by a request.',
        where: ['web/public/site.webmanifest', 'web/src/page/launch.ts'],
        tests: {
          'tests/e2e/install.spec.ts': [
            'no photo can reach the installed page by a request',
            'pictures that the device opens with the installed page are scored like chosen ones',
          ],
        },
        open: '',
      },
      {
        id: 'host-headers',
        may: 'send no headers, or others, so that less is isolated or the page may be framed',
        holds:
          'The page carries its policy itself; the guide’s headers and its nginx configuration are tested as they ' +
          'stand.',
        where: ['docs/hosting.md', 'web/src/page/framed.ts'],
        tests: {
          'tests/hosting.test.mjs': [
            'the headers of the guide are sent with pages and the engine, those of scripts with assets',
          ],
        },
        open: 'What a page of a host without headers is not protected from stands in the guide.',
      },
      {
        id: 'host-log',
        may: 'learn from its log what a visitor does',
        holds: 'Nothing about a photo is requested, not even its format, once the page is idle.',
        where: ['web/src/classifier/environment.ts', 'web/src/classifier/file-store.ts'],
        tests: {
          'tests/e2e/requests.spec.ts': ['once the page is idle a HEIC causes no request either'],
          'tests/e2e/classify.spec.ts': ['no request leaves while a photo is classified'],
        },
        open: 'A HEIC chosen before the page is idle has libheif fetched: the host sees that it was a HEIC.',
      },
      {
        id: 'wrong-answer-of-a-device',
        may: 'happen without an attacker: a GPU or a build that computes something else',
        holds: 'Each version of a model is tested by its self-test picture before it answers, WebGPU each time.',
        where: ['web/src/classifier/engine.ts', 'web/src/classifier/runtime.ts'],
        tests: {
          'tests/web/engine.test.ts': ['the self-test passes', 'once for each version of model and engine'],
          'tests/web/runtime.test.ts': ['finishes the call on WASM, for good'],
        },
        open: '',
      },
    ],
  },
  {
    title: 'A supply-chain attacker',
    threats: [
      {
        id: 'packages',
        may: 'publish another package under a version that is used here',
        holds: 'Every npm package is pinned by version and hash; locks hold no address.',
        where: ['package-lock.json', '.npmrc'],
        tests: {
          'tools/build/repository.test.mjs': [
            'locks contain no address and pin every package by hash',
            'package.json and its lock agree',
          ],
        },
        open: 'A pinned version that was hostile from the beginning.',
      },
      {
        id: 'install-scripts',
        may: 'run code on a developer’s machine while a package is installed',
        holds: 'Packages run no scripts of their own; those that bring some are listed with what works without.',
        where: ['.npmrc', 'tools/build/toolchain.mjs', '.github/workflows'],
        tests: {
          'tools/build/repository.test.mjs': [
            'no package runs scripts of its own when it is installed',
            'install nothing whose install scripts may run',
          ],
        },
        open: 'Code of a build tool runs when it builds.',
      },
      {
        id: 'python-packages',
        may: 'publish another file under a version of a Python package that is used here',
        holds: 'Every Python package is pinned by version and by the hashes of its files.',
        where: ['tools/train', 'tools/lint', 'tests/bench/tflite', 'tests/bench/fastapi'],
        tests: {
          'tools/build/repository.test.mjs': [
            '${folder}: whatever is required is locked in that version',
            '${folder}: whatever is locked is held to hashes and says nothing else',
            'every requirements file is locked',
          ],
        },
        open: '`pip install ./tools/train` by itself takes what its requirements name, without hashes.',
      },
      {
        id: 'workflows',
        may: 'change what is published through an action, or through code that a test has run',
        holds: 'Actions are pinned by commit. Jobs that publish run no test; those that may write run no code of ours.',
        where: ['.github/workflows'],
        tests: {
          'tools/build/repository.test.mjs': [
            'pin every action by its commit, and say which version that is',
            'pin an action by the same commit wherever it is used',
            'publish from jobs that run no test and take over nothing of one that does',
            'give the right to write to no job that runs code of the repository',
          ],
        },
        open: 'The machines that run the jobs.',
      },
      {
        id: 'known-faults',
        may: 'use a known fault of something that is shipped',
        holds:
          'Locks and libraries inside binaries are compared with a list; what is shipped all the same has a reason.',
        where: ['tools/build/advisories.json', 'tools/build/advisories.mjs'],
        tests: {
          'tools/build/advisories.test.mjs': [
            'nothing is used with a known vulnerability that nobody decided on, and no decision is out of date',
            'every lock and what is compiled in is looked at',
          ],
        },
        open: 'What the list lacks. Decoders of HEIC and AVIF are shipped with faults, as nobody publishes newer ones.',
      },
      {
        id: 'models-in-the-repository',
        may: 'exchange a shipped network',
        holds: 'Manifests hold size and sha256 of every file.',
        where: ['models'],
        tests: { 'tools/build/repository.test.mjs': ['${name}/${part.path} is what the manifest says'] },
        open: '',
      },
      {
        id: 'licences',
        may: 'have something shipped that nobody is named for, or whose licence forbids it',
        holds:
          'The build stops at code or a binary without a known licence; every text and a list of parts is shipped.',
        where: ['tools/build/licences.mjs', 'tools/build/sbom.mjs'],
        tests: {
          'tools/build/licences.test.mjs': [],
          'tools/build/sbom.test.mjs': [],
          'tests/package/package.test.mjs': [
            'the package brings the licence of everything in it, the decoders of Node included',
          ],
        },
        open: '',
      },
      {
        id: 'stb',
        may: 'rely on known faults of an old stb_image',
        holds: 'A version before 2.30 is refused when the project is configured.',
        where: ['tools/build/stb.mjs', 'cmake'],
        tests: { 'tools/build/scripts.test.mjs': ['of stb_image are read from its first line, and old ones refused'] },
        open: '',
      },
    ],
  },
  {
    title: 'A person at the same device',
    threats: [
      {
        id: 'lost-result',
        may: 'move or delete a photo, or clear the browser’s storage, while its answer is looked at',
        holds: 'An answer stays until another is there; what can no longer be read is told as that, and tried again.',
        where: ['web/src/element/session.ts'],
        tests: {
          'tests/e2e/causes.spec.ts': [
            'a result outlives its file: it is lost by neither another modality nor other photos',
          ],
        },
        open: '',
      },
      {
        id: 'traces',
        may: 'look for the photo, its name or its answer afterwards',
        holds: 'Nothing of a photo is stored unless a person keeps it; what is removed leaves the status line too.',
        where: ['web/src/classifier', 'web/src/element/session.ts'],
        tests: {
          'tests/e2e/privacy.spec.ts': ['nothing of a photo stays on the device'],
          'tests/e2e/strangers.spec.ts': [
            'the name of a file cannot reorder or fill the page, and leaves with its photo',
          ],
        },
        open: 'The photo itself, in the gallery; the visit, in the browser’s history; the name of a chosen network.',
      },
      {
        id: 'kept-spots',
        may: 'read or alter spots that a person kept, or a file of them',
        holds: 'With a passphrase all of it is encrypted and authenticated; a file is checked whole before it is used.',
        where: ['web/src/element/spots'],
        tests: {
          'tests/e2e/spots.spec.ts': [
            'a page that nobody uses for ten minutes is locked',
            'with a passphrase only ciphertext is in the database, and it opens with nothing else',
            'a file takes everything to a fresh profile; a wrong passphrase and damage are told apart',
            'what is damaged hides nothing else, comes back from a file, and can be deleted by itself',
            'deleting a photo, a spot and everything leaves nothing of them',
            'the browser is asked to store for good only when a person keeps a spot: ${name}',
          ],
          'tests/web/kept-spots.test.ts': [
            'no IV twice, and each byte of it and of the text is authenticated',
            'each bit of the header that is flipped is found',
            'cut anywhere, it is refused before any key is derived',
          ],
        },
        open: 'Without a passphrase it lies open; a short one can be guessed. docs/keep.md says what else remains.',
      },
    ],
  },
  {
    title: 'A client of the retired servers’ addresses',
    threats: [
      {
        id: 'photo-to-predict',
        may: 'send a photo to `predict` as if there were a server',
        holds: 'The service worker hands it to an open page, or refuses it; the host gets nothing.',
        where: ['web/src/sw/retired.ts', 'web/src/page/retired.ts'],
        tests: { 'tests/e2e/retired.spec.ts': [] },
        open: 'Where no service worker is in charge (first visit, forced reload) the browser sends it to the host.',
      },
      {
        id: 'serve-from-elsewhere',
        may: 'reach `dermlet serve` from a page of another site, or by a name that points here',
        holds: 'It listens on loopback and refuses other hosts and origins before it reads anything.',
        where: ['tools/cli/server.ts'],
        tests: {
          'tests/web/serve.test.ts': [
            'names that point here from elsewhere, and pages of other origins, are refused unread',
          ],
        },
        open: 'Nothing is encrypted; every program of this machine may ask.',
      },
      {
        id: 'serve-exhausted',
        may: 'send bodies without end, slowly, or too many of them',
        holds: 'Limits of size, time and number, each with an answer of its own; the log names no file and no result.',
        where: ['tools/cli/server.ts', 'web/src/handler/form.ts'],
        tests: {
          'tests/web/fetch-handler.test.ts': [
            'a body without end is read no further than its limit',
            'no text of an exception is told',
          ],
          'tests/web/serve.test.ts': [
            'a body that does not come: 408, and its place is free again',
            'more than may wait: 429 unread, and GET is still answered',
            'connections whose head does not come, or only little by little, are closed',
            'the log holds no picture, no result, no name',
          ],
        },
        open: 'A slow sender holds a place for half a minute.',
      },
      {
        id: 'hostile-dicom',
        may: 'give a DICOM file that is damaged, endless, or tells of a person',
        holds: 'At most 2 MiB of elements are read, each length is checked, and no message quotes what the file holds.',
        where: ['web/src/classifier/dicom.ts'],
        tests: { 'tests/web/dicom.test.ts': [], 'tests/e2e/dicom.spec.ts': [] },
        open: 'Names that are drawn into the picture itself are part of the picture.',
      },
      {
        id: 'report-of-another',
        may: 'give a DICOM file whose patient, study or letters are broken, so that its report is filed as another’s',
        holds:
          'An identity is taken over as it is or not at all: what breaks its rules, or is of a character set that is ' +
          'not read, gives no report. A photo gives one without a patient, also where a DICOM file follows it.',
        where: ['tools/cli/dicom-source.ts', 'tools/cli/dicom-sr.ts'],
        tests: {
          'tests/web/dicom-sr.test.ts': [
            '%s: no report, for it would be filed elsewhere; the value is not quoted',
            'a JPEG that has a DICOM file’s mark in its midst is a photo: nobody’s name is taken from it',
            'a name in %s is the same name in UTF-8',
            'with any byte changed: what is taken over keeps to the rules, or there is no report; nothing is quoted',
            'of a foreign model are cut and cleaned as their representation wants',
            'a folder that goes away ends the run loudly, and an interrupted one leaves whole files only',
          ],
        },
        open: 'A file that names another person by the rules is believed.',
      },
      {
        id: 'opened-model',
        may: 'have a person open a model that is damaged, endless, or holds a page in place of its card',
        holds:
          'Its files are held to its manifest and tested; a zip unpacks to no more than it says; its card is text.',
        where: ['web/src/page/model-files.ts', 'web/src/classifier/opened-files.ts'],
        tests: {
          'tests/e2e/open-model.spec.ts': [
            'a folder is used for the photos, told as a stranger’s, and left again',
            'what is no model says why, and what was in use goes on',
            'a folder whose files are not what its manifest says is refused, and the page recovers',
            'a hostile network whose hash is right (${network}) ends with its code, and another answers',
            'a network that never ends is left by choosing another',
          ],
          'tests/web/model-files.test.ts': [],
          'tests/web/cli-check-model.test.ts': [
            'one that takes longer than it may',
            '%s: an error with its code, checked or written; its thread ends, and others answer',
          ],
        },
        open: 'Its makers choose what its categories are called and what its answers are.',
      },
      {
        id: 'hostile-head',
        may: 'give a head or an atlas file that is none',
        holds: 'Every length and number is checked before it is used; one of another network is refused.',
        where: ['web/src/classifier/head-file.ts', 'web/src/classifier/atlas.ts', 'wasm_src/core/learn'],
        tests: {
          'tests/web/head.test.ts': [],
          'tests/web/head-room.test.ts': [],
          'tests/web/head-export.test.ts': [],
          'tests/web/atlas.test.ts': [],
          'tests/e2e/similar.spec.ts': [
            'cases of an opened atlas are listed with label, similarity, file and picture, and nothing is sent',
          ],
        },
        open:
          'A head or atlas says something of the pictures that it was made of: keep it as they are kept. File names ' +
          'are in an atlas only with --names.',
      },
    ],
  },
  {
    title: 'A browser, or an extension in it',
    threats: [
      {
        id: 'canvas-noise',
        may: 'alter pixels that are read from a canvas',
        holds:
          'JPEG, PNG and BMP never pass a canvas; other formats only one that a drawn picture came through unchanged.',
        where: ['web/src/classifier/browser-decoder.ts', 'wasm_src/core'],
        tests: {
          'tests/e2e/privacy.spec.ts': [
            'a browser that falsifies canvas contents does not change the result',
            'the worker reads no canvas either',
          ],
          'tests/web/foreign.test.ts': ['pixels that may have been altered are never used'],
          'tests/exactness/fingerprinting.spec.ts': [],
        },
        open: '',
      },
      {
        id: 'extension',
        may: 'read and change the page, as an extension with access to it may',
        holds: 'Nothing: it is the person’s own browser. Translators do not break the page.',
        where: ['web/src/element/html.ts'],
        tests: {},
        open: 'All of it.',
      },
    ],
  },
];

export const THREATS = ACTORS.flatMap(({ threats }) => threats);

const escaped = (/** @type {string} */ text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** What is filled in where a title stands in a loop or a table. */
const VARIES = /%[sijdo]|\$\{[^}]*\}/;

/**
 * Whether a test file holds a title.
 * @param {string} path
 * @param {string} title
 */
export function holdsTitle(path, title) {
  const text = readFileSync(join(root, path), 'utf8');
  if (path.endsWith('.py')) return new RegExp(`^\\s*def ${escaped(title)}\\(`, 'm').test(text);
  if (path.endsWith('.cc')) return new RegExp(`\\bTEST(_[FP])?\\(${escaped(title).replace('\\.', ', ')}\\)`).test(text);
  // As a script would write it in any quotes, as the first argument of a call.
  return [title, title.replaceAll("'", "\\'"), title.replaceAll('`', '\\`')].some((written) =>
    new RegExp(`\\(\\s*(['"\`])${escaped(written)}\\1`).test(text),
  );
}

/** Whether a file is one of tests at all. */
const isTestFile = (/** @type {string} */ path) =>
  /(\.test\.(ts|mjs)|\.spec\.ts|_test\.cc|_fuzz\.(cc|ts)|(^|\/)test_\w+\.py|tests\/core\/module_\w+\.mjs)$/.test(
    path,
  ) && existsSync(join(root, path));

/**
 * What is wrong with the rows themselves.
 * @param {readonly Threat[]} [threats]
 * @returns {string[]}
 */
export function faultsOf(threats = THREATS) {
  const twice = threats.filter(({ id }, i) => threats.findIndex((other) => other.id === id) < i);
  return [
    ...twice.map(({ id }) => `${id}: stands twice`),
    ...threats.flatMap(({ id, where, tests, open }) => [
      ...where.flatMap((path) => (existsSync(join(root, path)) ? [] : [`${id}: there is no ${path}`])),
      ...(Object.keys(tests).length === 0 && open === '' ? [`${id}: neither tested nor open`] : []),
      ...Object.entries(tests).flatMap(([path, titles]) =>
        isTestFile(path)
          ? titles.flatMap((title) => (holdsTitle(path, title) ? [] : [`${id}: ${path} has no test '${title}'`]))
          : [`${id}: ${path} is no file of tests`],
      ),
    ]),
  ];
}

/**
 * A title as a pattern for the names that runners report: CTest's and pytest's have their parameters behind them.
 * @param {string} path
 * @param {string} title
 */
export function patternOf(path, title) {
  const text = title.split(VARIES).map(escaped).join('.*');
  if (path.endsWith('.cc')) return new RegExp(`(^|/)${text}(/|$)`);
  if (path.endsWith('.py')) return new RegExp(`^${text}(\\[|$)`, 's');
  return new RegExp(`^${text}$`, 's');
}

/** The suites of a C++ test file: its tests are known by them alone when they run. */
const suitesOf = (/** @type {string} */ path) => [
  ...new Set(
    [...readFileSync(join(root, path), 'utf8').matchAll(/\bTEST(?:_[FP])?\((\w+), \w+\)/g)].map(
      ([, suite = '']) => suite,
    ),
  ),
];

/**
 * Whether a test that ran is meant by a file and its titles.
 * @param {import('./reports.mjs').Test} test
 * @param {string} path
 * @param {readonly string[]} titles
 */
export function isMeant({ file, titles: ran }, path, titles) {
  const [, target] = /(\w+)_fuzz\.\w+$/.exec(path) ?? [];
  if (target !== undefined) return ran[0] === `fuzz ${target}`;
  if (path.endsWith('_test.cc')) {
    const wanted = titles.length > 0 ? titles : suitesOf(path).map((suite) => `${suite}.%s`);
    return file === '' && wanted.some((title) => patternOf(path, title).test(ran[0] ?? ''));
  }
  if (file !== (path.endsWith('.mjs') ? '' : path)) return false; // Node's runner names no files
  return titles.length === 0 || titles.some((title) => ran.some((name) => patternOf(path, title).test(name)));
}

/**
 * How each row stands, given all tests that ran: a test that is named and did not run is a failure.
 * @param {readonly import('./reports.mjs').Test[]} ran
 * @param {readonly string[]} [parts]  those of `npm test` that were to run; none: all
 */
export const standing = (ran, parts) =>
  THREATS.map(({ id, may, tests }) => {
    const files = Object.entries(tests).filter(([path]) => parts?.includes(partOf(path)) ?? true);
    const missing = files.flatMap(([path, titles]) =>
      (titles.length > 0 ? titles.map((title) => [title]) : [[]])
        .filter((wanted) => !ran.some((test) => test.status !== 'skipped' && isMeant(test, path, wanted)))
        .map(([title]) => `${path}${title === undefined ? '' : `: ${title}`} did not run`),
    );
    const meant = ran.filter((test) => Object.entries(tests).some(([path, titles]) => isMeant(test, path, titles)));
    const failed = meant.filter(({ status }) => status === 'failed').map(({ titles }) => titles.join(' > '));
    return {
      id,
      may,
      tested: Object.keys(tests).length > 0,
      left: Object.keys(tests).length - files.length,
      passed: meant.filter(({ status }) => status === 'passed').length,
      faults: [...failed, ...missing],
    };
  });

/** All files of tests that a row names, with the titles that are wanted of them; no titles: all. */
export function wantedTests() {
  /** @type {Map<string, Set<string> | null>} */
  const wanted = new Map();
  for (const { tests } of THREATS) {
    for (const [path, titles] of Object.entries(tests)) {
      const known = wanted.get(path);
      if (titles.length === 0 || known === null) wanted.set(path, null);
      else wanted.set(path, new Set([...(known ?? []), ...titles]));
    }
  }
  return wanted;
}

/**
 * @typedef {object} Plan  what `npm run attack` runs
 * @property {string[]} parts  of `npm test`
 * @property {string[]} files  of tests
 * @property {RegExp} titles  Playwright's: specs take long, so that only what is wanted of them runs
 * @property {RegExp} core  CTest's
 */

/** The part of `npm test` that runs a file of tests. */
const partOf = (/** @type {string} */ path) => {
  if (/_fuzz\.\w+$/.test(path)) return 'fuzz';
  if (path.endsWith('_test.cc')) return 'asan';
  if (/^(tools\/build\/(site|advisories)|tests\/hosting)\.test\.mjs$/.test(path)) return 'site';
  if (path.startsWith('tools/build/')) return 'scripts';
  const [, part] = /^(?:tests|tools)\/(\w+)\//.exec(path) ?? [];
  return { core: 'module', exactness: 'exact' }[part ?? ''] ?? part ?? '';
};

/** @returns {Plan} */
export function attackPlan() {
  const wanted = [...wantedTests()];
  const specs = wanted.filter(([path]) => path.endsWith('.spec.ts'));
  const core = wanted.filter(([path]) => path.endsWith('_test.cc'));
  const pattern = (/** @type {string} */ title) => title.split(VARIES).map(escaped).join('.*');
  return {
    parts: [...new Set(wanted.map(([path]) => partOf(path)))],
    files: wanted.map(([path]) => path),
    // Playwright puts the file's name before the titles.
    titles: new RegExp(
      specs.flatMap(([path, titles]) => (titles ? [...titles].map(pattern) : [escaped(basename(path))])).join('|'),
    ),
    // One group for all: CTest's regular expressions have room for few.
    core: new RegExp(
      `(^|/)(${core
        .flatMap(([path, titles]) => (titles ? [...titles].map(escaped) : suitesOf(path).map((suite) => `${suite}\\.`)))
        .join('|')})`,
    ),
  };
}

const cell = (/** @type {string} */ text) => text.replaceAll('|', '\\|');
const link = (/** @type {string} */ path) => `[${path}](../${path})`;

/** The tables of docs/threat-model.md. */
export const tables = () =>
  ACTORS.map(({ title, threats }) => {
    const rows = threats.map(({ id, may, holds, where, tests, open }) => {
      const shown = Object.entries(tests).map(([path, titles]) =>
        titles.length > 0
          ? `${link(path)}: ${titles.map((each) => `\`${each.replaceAll('`', "'")}\``).join('; ')}`
          : link(path),
      );
      return [
        `\`${id}\``,
        may,
        `${holds} ${where.map(link).join(', ')}`,
        shown.length > 0 ? shown.join('<br>') : '**not tested**',
        open || '-',
      ];
    });
    const head = ['row', 'may', 'what holds, and where', 'shown by', 'not defended'];
    return [
      `### ${title}`,
      '',
      `| ${head.join(' | ')} |`,
      `|${head.map(() => '---').join('|')}|`,
      ...rows.map((row) => `| ${row.map(cell).join(' | ')} |`),
      '',
    ].join('\n');
  }).join('\n');

export const DOCUMENT = 'docs/threat-model.md';
const [BEGIN, END] = ['<!-- generated from tools/build/threats.mjs by `npm run generate` -->', '<!-- end -->'];

/** The document with its tables renewed. */
export function documentText(text = readFileSync(join(root, DOCUMENT), 'utf8')) {
  const [before, rest] = text.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`${DOCUMENT} lacks the marks around its tables.`);
  return `${before}${BEGIN}\n\n${tables()}\n${END}${after}`;
}
