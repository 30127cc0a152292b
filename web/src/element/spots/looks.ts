/** Styles that the parts of this room share. */
import { css } from 'lit';
import { field } from '../styles.js';

const own = css`
  form,
  .part {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 0.9rem;
    align-content: start;
  }
  h3 {
    font-size: 1.15rem;
  }
  h4 {
    margin: 0;
    font-size: 1.05rem;
  }
  label {
    display: grid;
    gap: 0.25rem;
    max-width: 28rem;
  }
  label > span {
    font-weight: 600;
  }
  .ways {
    display: flex;
    flex-wrap: wrap;
    gap: 0.6rem;
  }
  .ways > * {
    min-width: 0;
    max-width: 100%;
  }
  button {
    min-width: 0;
    max-width: 100%;
    overflow-wrap: anywhere;
  }
  button:disabled {
    opacity: 0.6;
    cursor: default;
  }
  .muted {
    color: var(--muted);
    font-size: 0.95rem;
  }
`;

export const looks = [field, own];
