/** Whether spots are kept on this device: all that the page needs to know of them before a person asks. */

/** Of the database and the channel (`spots/store.ts`). */
export const KEPT = 'dermlet-spots';

/** Looks without making a database; false where there is none, or none can be had. */
export function anyKept(): Promise<boolean> {
  return new Promise((resolve) => {
    try {
      const request = indexedDB.open(KEPT);
      request.onupgradeneeded = () => request.transaction?.abort();
      request.onerror = () => resolve(false);
      request.onsuccess = () => {
        const { result } = request;
        try {
          const count = result.transaction('entries').objectStore('entries').count();
          count.onsuccess = () => resolve(count.result > 0);
          count.onerror = () => resolve(false);
        } catch {
          resolve(false);
        }
        result.close();
      };
    } catch {
      resolve(false);
    }
  });
}
