import { createHash } from 'node:crypto';

/**
 * In hexadecimal.
 * @param {import('node:crypto').BinaryLike} content
 */
export const sha256 = (content) => createHash('sha256').update(content).digest('hex');
