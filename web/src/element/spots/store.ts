/**
 * The database of kept spots, on this device only. Entries and pictures are bytes, in plain or, once there is a
 * passphrase, encrypted; only ids of no meaning, sizes and the number of entries can then be read.
 *
 * Each write is one transaction that compares the revision under which it was prepared: encrypting cannot happen within
 * one, and what another tab wrote meanwhile is read again, never overwritten. A write counts once its bytes were read
 * back. `change` is fired when what is kept has changed, here or in another tab, or was locked.
 */
import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import { KEPT } from '../kept.js';
import { type Bytes, type Lock, lockWith, open, type Sealed, seal, unlock, utf8 } from './crypto.js';
import { bytesOf, checkPhoto, type Entry, entryOf, type Item, isVisit, type Visit } from './entries.js';
import { SpotsError } from './error.js';
import { readFile, writeFile } from './file.js';
import { whenIdle } from './idle.js';
import { type Merged, merge } from './merge.js';
import { checkRoom, sizesOf, sum } from './room.js';

/** Not encrypted: without an IV. */
type Body = Sealed | { readonly iv: null; readonly data: Bytes };

interface Head {
  /** Another with each write. */
  readonly revision: string;
  readonly lock: Lock | null;
}

interface Schema extends DBSchema {
  head: { key: 'head'; value: Head };
  entries: { key: string; value: Body };
  photos: { key: string; value: Body };
}

type Database = IDBPDatabase<Schema>;
type Kind = 'entries' | 'photos';

/** What is written at once: bodies to put, by id; null removes. */
type Bodies = ReadonlyMap<string, Body | null>;

interface Write {
  readonly lock: Lock | null;
  readonly entries: Bodies;
  readonly photos: Bodies;
  /** Whether everything that was there goes first. */
  readonly clear: boolean;
}

/** What a change makes of the entries. */
export interface Change {
  readonly put: readonly Item[];
  /** Ids. */
  readonly remove: readonly string[];
}

export interface Contents {
  /** Whether a passphrase is set. */
  readonly hasLock: boolean;
  /** Null while it is locked. */
  readonly entries: readonly Entry[] | null;
  /** Bytes of entries and pictures; 0 while it is locked. */
  readonly bytes: number;
  /** Entries that cannot be read; the others can. */
  readonly damaged: number;
}

/** Entries, and the ids of those that cannot be read. */
interface Readable {
  readonly entries: readonly Entry[];
  readonly damaged: readonly string[];
}

/** Milliseconds without input after which a page locks what it has unlocked. */
const IDLE_AFTER = 10 * 60_000;
/** Milliseconds after which a database that does not open counts as held by another tab. */
const PATIENCE = 10_000;
/** Times that a write is prepared again because another tab was first. */
const TRIES = 10;
const STORES = ['head', 'entries', 'photos'] as const;
const ABOUT_LOCK = utf8('dermlet-spots lock');
const NO_HEAD: Head = { revision: '', lock: null };

const labelOf = (kind: Kind, id: string): string => `dermlet-spots ${kind} ${id}`;
const equal = (a: Bytes, b: Bytes): boolean => a.length === b.length && a.every((byte, at) => byte === b[at]);

/** What failed, by the kind of the browser's error. */
function asSpotsError(error: unknown): SpotsError {
  if (error instanceof SpotsError) return error;
  const name = error instanceof Error ? error.name : '';
  if (name === 'QuotaExceededError') return new SpotsError('FULL', { cause: error });
  if (name === 'VersionError') return new SpotsError('NEWER', { cause: error });
  return new SpotsError('FAILED', { cause: error });
}

export class SpotStore extends EventTarget {
  #database: Promise<Database> | null = null;
  /** Counts how often it was locked: what unlocks it meanwhile is a second late, and does not. */
  #locks = 0;
  /** With the lock that it opens; gone when the page is, or is not used. */
  #key: { readonly key: CryptoKey; readonly lock: Lock } | null = null;
  /** Ends the wait for the page not to be used. */
  #awake: (() => void) | null = null;
  readonly #channel: BroadcastChannel | null;

  constructor() {
    super();
    this.#channel = typeof BroadcastChannel === 'function' ? new BroadcastChannel(KEPT) : null;
    this.#channel?.addEventListener('message', ({ data }) => {
      if (data === 'lock') this.#lockHere();
      else this.#changed();
    });
    // A page that the browser keeps for the way back would keep the key.
    addEventListener('pagehide', () => {
      if (this.#key) this.#lockHere();
      else this.#locks++;
    });
  }

  /** @throws SpotsError INSECURE, NO_STORAGE, BLOCKED, NEWER, FAILED */
  read(): Promise<Contents> {
    return this.#with(async (database) => {
      const { head, bodies } = await this.#readAll(database, 'entries');
      const key = this.#keyFor(head);
      if (head.lock && !key) return { hasLock: true, entries: null, bytes: 0, damaged: 0 };
      const { entries, damaged } = await this.#entries(bodies, key);
      return { hasLock: head.lock !== null, entries, bytes: sum(sizesOf(entries, bodies)), damaged: damaged.length };
    });
  }

  /**
   * The picture of a visit, a JPEG.
   * @throws SpotsError GONE, LOCKED, DAMAGED and as `read`
   */
  photo(visit: Visit): Promise<Blob> {
    return this.#with(async (database) => {
      const tx = database.transaction(STORES);
      const [head = NO_HEAD, body] = await Promise.all([
        tx.objectStore('head').get('head'),
        tx.objectStore('photos').get(visit.id),
        tx.done,
      ]);
      if (!body) throw new SpotsError('GONE');
      const photo = await plain(body, labelOf('photos', visit.id), this.#openKey(head));
      checkPhoto(visit, photo);
      return new Blob([photo], { type: 'image/jpeg' });
    });
  }

  /**
   * Changes what is kept: `work` is given it as it is now, again if another tab was first.
   * @throws SpotsError FULL, TOO_MUCH, LOCKED, FAILED and as `read`; then nothing was changed
   */
  change(work: (entries: readonly Entry[]) => Change): Promise<void> {
    return this.#write(async (database) => {
      const { head, bodies } = await this.#readAll(database, 'entries');
      const key = this.#openKey(head);
      const { entries: now } = await this.#entries(bodies, key);
      const { put, remove } = work(now);
      const entries = new Map<string, Body | null>(remove.map((id) => [id, null]));
      const photos = new Map<string, Body | null>(remove.map((id) => [id, null]));
      for (const { entry, photo } of put) {
        entries.set(entry.id, await body(bytesOf(entry), labelOf('entries', entry.id), key));
        if (photo) photos.set(entry.id, await body(photo, labelOf('photos', entry.id), key));
      }
      const puts = put.map(({ entry }) => entry);
      checkRoom(sizesOf(now, bodies), put, sizesOf(puts, entries), remove);
      return { head, write: { lock: head.lock, entries, photos, clear: false } };
    });
  }

  /**
   * Deletes the entries that cannot be read, with their pictures, and pictures without an entry. Photos of a spot that
   * is among them stay, under a spot that is called `name`.
   * @throws SpotsError as `change`
   */
  deleteDamaged(name: string): Promise<void> {
    return this.#write(async (database) => {
      const { head, bodies } = await this.#readAll(database, 'entries');
      const key = this.#openKey(head);
      const { entries: readable, damaged } = await this.#entries(bodies, key);
      const known = new Set(readable.map(({ id }) => id));
      const kept = await database.getAllKeys('photos');
      const entries = new Map<string, Body | null>(damaged.map((id) => [id, null]));
      const photos = new Map<string, Body | null>(kept.filter((id) => !known.has(id)).map((id) => [id, null]));
      const lost = readable.filter(isVisit).filter(({ spot }) => !known.has(spot));
      for (const id of new Set(lost.map(({ spot }) => spot))) {
        const spot: Entry = { kind: 'spot', id, changedAt: Date.now(), name, place: null };
        entries.set(id, await body(bytesOf(spot), labelOf('entries', id), key));
      }
      return { head, write: { lock: head.lock, entries, photos, clear: false } };
    });
  }

  /** @throws SpotsError WRONG_PASSPHRASE, LOCKED (meanwhile, by a page that was left or another tab) and as `read` */
  async unlock(passphrase: string): Promise<void> {
    const locks = this.#locks;
    const { lock } = await this.#with((database) => headOf(database));
    const key = lock && (await unlock(passphrase, lock, ABOUT_LOCK));
    if (locks !== this.#locks) throw new SpotsError('LOCKED');
    if (lock && key) this.#hold({ key, lock });
    this.#changed();
  }

  /** Forgets the key, in every tab. */
  lock(): void {
    this.#channel?.postMessage('lock');
    this.#lockHere();
  }

  /**
   * Sets, changes or (null) removes the passphrase: all is written anew under another key, in one transaction.
   * @param current the one that is set; null: none
   * @throws SpotsError WRONG_PASSPHRASE, SHORT_PASSPHRASE, DAMAGED, FULL, FAILED and as `read`; then all is as it was
   */
  async setPassphrase(current: string | null, next: string | null): Promise<void> {
    const made = next === null ? null : await lockWith(next, () => ABOUT_LOCK);
    await this.#write(async (database) => {
      const { head, items, damaged } = await this.#everything(database, async ({ lock }) =>
        lock ? unlock(current ?? '', lock, ABOUT_LOCK) : null,
      );
      // What cannot be read cannot be written anew, and would be lost.
      if (damaged > 0) throw new SpotsError('DAMAGED');
      const [entries, photos] = [new Map<string, Body>(), new Map<string, Body>()];
      for (const { entry, photo } of items) {
        const key = made?.key ?? null;
        entries.set(entry.id, await body(bytesOf(entry), labelOf('entries', entry.id), key));
        if (photo) photos.set(entry.id, await body(photo, labelOf('photos', entry.id), key));
      }
      return { head, write: { lock: made?.lock ?? null, entries, photos, clear: true } };
    }, made);
  }

  /** All that is kept as a file, but for the entries (`damaged` many) that cannot be read. */
  exported(passphrase: string): Promise<{ file: Blob; damaged: number }> {
    return this.#with(async (database) => {
      const { items, damaged } = await this.#everything(database, async (head) => this.#openKey(head));
      return { file: await writeFile(items, passphrase), damaged };
    });
  }

  /**
   * Adds what a file holds; all of it is read and checked first.
   * @throws SpotsError as `readFile` and `change`; then nothing was changed
   */
  async imported(file: Blob, passphrase: string): Promise<Merged> {
    const items = await readFile(file, passphrase);
    let merged: Merged | null = null;
    await this.change((entries) => {
      merged = merge(entries, items);
      return { put: merged.put, remove: [] };
    });
    return merged!;
  }

  /** Deletes everything, the passphrase too; also while it is locked. Reads that nothing is left. */
  async deleteAll(): Promise<void> {
    await this.#with(async (database) => {
      const tx = database.transaction(STORES, 'readwrite', { durability: 'strict' });
      await Promise.all([...STORES.map((name) => tx.objectStore(name).clear()), tx.done]);
      const look = database.transaction(STORES);
      const counts = await Promise.all(STORES.map((name) => look.objectStore(name).count()));
      // What another tab kept since then is its own.
      const head = await headOf(database);
      if (counts.some((count) => count > 0) && head.revision === '') throw new SpotsError('FAILED');
    });
    this.#hold(null);
    this.#tell();
  }

  #hold(key: { readonly key: CryptoKey; readonly lock: Lock } | null): void {
    this.#key = key;
    this.#awake?.();
    this.#awake = key && whenIdle(IDLE_AFTER, () => this.#lockHere());
  }

  #lockHere(): void {
    this.#locks++;
    this.#hold(null);
    this.#changed();
  }

  #changed(): void {
    this.dispatchEvent(new Event('change'));
  }

  #tell(): void {
    this.#channel?.postMessage('change');
    this.#changed();
  }

  /** Null where there is no lock, or the key is not that of this one. */
  #keyFor({ lock }: Head): CryptoKey | null {
    return lock && this.#key && equal(lock.wrapped, this.#key.lock.wrapped) ? this.#key.key : null;
  }

  #openKey(head: Head): CryptoKey | null {
    const key = this.#keyFor(head);
    if (head.lock && !key) throw new SpotsError('LOCKED');
    return key;
  }

  async #readAll(database: Database, kind: Kind): Promise<{ head: Head; bodies: Map<string, Body> }> {
    const tx = database.transaction(STORES);
    const store = tx.objectStore(kind);
    const [head = NO_HEAD, keys, values] = await Promise.all([
      tx.objectStore('head').get('head'),
      store.getAllKeys(),
      store.getAll(),
      tx.done,
    ]);
    return { head, bodies: new Map(keys.map((id, index) => [id, values[index]!])) };
  }

  async #entries(bodies: ReadonlyMap<string, Body>, key: CryptoKey | null): Promise<Readable> {
    const entries: Entry[] = [];
    const damaged: string[] = [];
    for (const [id, sealed] of bodies) {
      const entry = await whole(async () => entryOf(await plain(sealed, labelOf('entries', id), key)));
      if (entry?.id === id) entries.push(entry);
      else damaged.push(id);
    }
    return { entries, damaged };
  }

  /** All entries and pictures, as they were at one moment; `damaged`: how many cannot be read, with their pictures. */
  async #everything(
    database: Database,
    keyOf: (head: Head) => Promise<CryptoKey | null>,
  ): Promise<{ head: Head; items: Item[]; damaged: number }> {
    const tx = database.transaction(STORES);
    const [head = NO_HEAD, keys, values, photoKeys, photoValues] = await Promise.all([
      tx.objectStore('head').get('head'),
      tx.objectStore('entries').getAllKeys(),
      tx.objectStore('entries').getAll(),
      tx.objectStore('photos').getAllKeys(),
      tx.objectStore('photos').getAll(),
      tx.done,
    ]);
    const key = await keyOf(head);
    const { entries, damaged } = await this.#entries(new Map(keys.map((id, index) => [id, values[index]!])), key);
    const bodies = new Map(photoKeys.map((id, index) => [id, photoValues[index]!]));
    const items: Item[] = [];
    for (const entry of entries) {
      const item = await whole(async () => {
        if (!isVisit(entry)) return { entry, photo: null };
        const sealed = bodies.get(entry.id);
        if (!sealed) throw new SpotsError('DAMAGED');
        const photo = await plain(sealed, labelOf('photos', entry.id), key);
        checkPhoto(entry, photo);
        return { entry, photo };
      });
      if (item) items.push(item);
    }
    return { head, items, damaged: damaged.length + entries.length - items.length };
  }

  /** Prepares a write until none came in between. `key`: what opens it afterwards, if that changes. */
  async #write(
    prepare: (database: Database) => Promise<{ head: Head; write: Write }>,
    key: { readonly key: CryptoKey; readonly lock: Lock } | null | undefined = undefined,
  ): Promise<void> {
    const locks = this.#locks;
    await this.#with(async (database) => {
      for (let tries = 0; tries < TRIES; tries++) {
        const { head, write } = await prepare(database);
        if (!(await put(database, head.revision, write))) continue;
        if (key !== undefined) this.#hold(locks === this.#locks ? key : null);
        return;
      }
      throw new SpotsError('BLOCKED');
    });
    this.#tell();
  }

  /** Opens the database if need be, once more if the browser has closed it meanwhile. */
  async #with<Value>(work: (database: Database) => Promise<Value>): Promise<Value> {
    for (let again = true; ; again = false) {
      this.#database ??= this.#open();
      const opening = this.#database;
      try {
        return await work(await opening);
      } catch (error) {
        const closed = error instanceof DOMException && error.name === 'InvalidStateError';
        if (closed || !(await isOpen(opening))) this.#forget(opening);
        if (!closed || !again) throw asSpotsError(error);
      }
    }
  }

  /** The next call opens it anew, unless another has already. */
  #forget(opening: Promise<Database>): void {
    if (this.#database === opening) this.#database = null;
  }

  // Asynchronous: some browsers throw at once where there is no database.
  async #openNow(): Promise<Database> {
    return openDB<Schema>(KEPT, 1, {
      upgrade: (database) => {
        for (const name of STORES) database.createObjectStore(name);
      },
      // A newer page wants it: this one lets go.
      blocking: (_version, _blocked, event) => {
        (event.target as IDBDatabase).close();
        this.#database = null;
      },
      terminated: () => {
        this.#database = null;
      },
    });
  }

  async #open(): Promise<Database> {
    // Where there is neither encryption nor a random id.
    if (!isSecureContext) throw new SpotsError('INSECURE');
    const opening = this.#openNow();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new SpotsError('BLOCKED')), PATIENCE);
    });
    try {
      return await Promise.race([opening, late]);
    } catch (error) {
      // One that opens after all would only be in the way.
      void opening.then(
        (database) => database.close(),
        () => undefined,
      );
      const known = asSpotsError(error);
      throw known.code === 'FAILED' ? new SpotsError('NO_STORAGE', { cause: error }) : known;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Null for what is damaged. */
async function whole<Value>(read: () => Promise<Value>): Promise<Value | null> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof SpotsError && error.code === 'DAMAGED') return null;
    throw error;
  }
}

const isOpen = (opening: Promise<Database>): Promise<boolean> =>
  opening.then(
    () => true,
    () => false,
  );

const headOf = async (database: Database): Promise<Head> => (await database.get('head', 'head')) ?? NO_HEAD;

const body = async (bytes: Bytes, label: string, key: CryptoKey | null): Promise<Body> =>
  key ? seal(key, label, bytes) : { iv: null, data: bytes };

async function plain(sealed: Body, label: string, key: CryptoKey | null): Promise<Bytes> {
  // Neither may stand in for the other: what is not encrypted was not written under this lock.
  if ((sealed.iv === null) !== (key === null)) throw new SpotsError('DAMAGED');
  return sealed.iv === null || key === null ? sealed.data : open(key, label, sealed);
}

/**
 * Writes if nothing was written since `revision`, and reads it back.
 * @returns whether it did
 */
async function put(database: Database, revision: string, write: Write): Promise<boolean> {
  const next: Head = { revision: crypto.randomUUID(), lock: write.lock };
  const tx = database.transaction(STORES, 'readwrite', { durability: 'strict' });
  const work = async (): Promise<boolean> => {
    const head = (await tx.objectStore('head').get('head')) ?? NO_HEAD;
    if (head.revision !== revision) return false;
    if (write.clear) await Promise.all([tx.objectStore('entries').clear(), tx.objectStore('photos').clear()]);
    await Promise.all([
      tx.objectStore('head').put(next, 'head'),
      ...(['entries', 'photos'] as const).flatMap((kind) =>
        [...write[kind]].map(([id, value]) =>
          value ? tx.objectStore(kind).put(value, id) : tx.objectStore(kind).delete(id),
        ),
      ),
    ]);
    return true;
  };
  const [done] = await Promise.all([work(), tx.done]);
  if (done) await readBack(database, next.revision, write);
  return done;
}

async function readBack(database: Database, revision: string, write: Write): Promise<void> {
  for (const kind of ['entries', 'photos'] as const)
    for (const [id, wanted] of write[kind]) {
      const found = await database.get(kind, id);
      const same = wanted ? found !== undefined && equal(found.data, wanted.data) : found === undefined;
      if (!same && (await headOf(database)).revision === revision) throw new SpotsError('FAILED');
    }
}

/** One a page: the key of what is locked is held once. */
export const store = new SpotStore();
