/** How the list of all photos looks. */
import { css } from 'lit';

export const look = css`
  section {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 0.9rem;
    padding: 1rem;
    border: 1px solid var(--line);
    border-radius: 1.25rem;
    background: var(--card);
  }
  h2 {
    font-family: var(--serif);
    font-size: 1.3rem;
    font-weight: 500;
  }
  h3 {
    font-size: 1rem;
    overflow-wrap: anywhere;
  }
  .bar,
  .controls,
  .selection,
  .export,
  .answers {
    display: flex;
    flex-wrap: wrap;
    align-items: end;
    gap: 0.6rem 0.9rem;
  }
  .bar {
    align-items: center;
  }
  .bar p {
    margin-inline-end: auto;
  }
  progress {
    width: 100%;
    accent-color: var(--accent);
  }
  .field {
    display: grid;
    flex: 1 1 9rem;
    gap: 0.2rem;
    min-width: 0;
    font-size: 0.9rem;
    font-weight: 600;
  }
  .tick {
    display: flex;
    align-items: center;
    gap: 0.5rem;
    min-height: 2.75rem;
  }
  input[type='checkbox'] {
    flex: none;
    width: 1.5rem;
    height: 1.5rem;
    margin: 0;
    accent-color: var(--accent);
  }
  .muted {
    color: var(--muted);
    font-size: 0.92rem;
  }
  /* Seen beside the list, wherever that is scrolled to. */
  dermlet-removed {
    position: sticky;
    z-index: 2;
    top: 0;
  }
  .none {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: center;
    gap: 0.6rem 1rem;
    padding: 2rem 1rem;
    border-block: 1px solid var(--line);
  }
  /* Without words it has no place, and is there all the same for those to whom it is read. */
  .none:not(:has(button)) {
    position: absolute;
    padding: 0;
    border: 0;
  }
  .list {
    position: relative;
    max-height: min(32rem, 70vh);
    overflow: auto;
    border-block: 1px solid var(--line);
    overscroll-behavior: contain;
  }
  .row {
    display: grid;
    grid-auto-flow: column;
    grid-auto-columns: minmax(0, 1fr);
    grid-template-rows: minmax(0, 1fr);
    gap: 0.6rem;
    height: 13.5rem;
    padding: 0.4rem;
  }
  .tile {
    position: relative;
    min-width: 0;
  }
  .tile button,
  td button {
    border-color: var(--line);
    font-weight: 500;
  }
  .tile button {
    flex-direction: column;
    justify-content: start;
    gap: 0.15rem;
    width: 100%;
    height: 100%;
    padding: 0.35rem;
    overflow: hidden;
  }
  .tile label {
    position: absolute;
    top: 0.35rem;
    inset-inline-start: 0.35rem;
  }
  .tile label,
  td label {
    display: flex;
  }
  [aria-current='true'] {
    outline: 3px solid var(--accent);
    outline-offset: -3px;
  }
  [aria-current='true']:focus-visible {
    outline-width: 5px;
    outline-offset: -5px;
  }
  canvas {
    display: block;
    flex: none;
    border-radius: 0.4rem;
    background: var(--track);
    object-fit: contain;
  }
  /* Beside the box that selects it: a spot may be at the picture's rim. */
  .tile canvas {
    align-self: end;
    width: calc(100% - 1.75rem);
    height: 6.5rem;
  }
  .name {
    flex: none;
    max-width: 100%;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .kind {
    display: inline-flex;
    align-items: center;
    gap: 0.3rem;
    max-width: 100%;
    padding: 0.1rem 0.4rem;
    border-radius: 0.4rem;
    color: var(--muted);
    font-size: 0.85rem;
    font-weight: 600;
    line-height: 1.2;
    text-align: start;
  }
  .kind svg {
    flex: none;
    width: 1.1rem;
    height: 1.1rem;
  }
  .high {
    background: var(--high-soft);
    color: var(--high);
  }
  .moderate {
    background: var(--moderate-soft);
    color: var(--moderate);
  }
  .low {
    background: var(--low-soft);
    color: var(--low);
  }
  .unknown {
    background: var(--unknown-soft);
    color: var(--unknown);
  }
  table {
    width: 100%;
    min-width: 42rem;
    border-collapse: collapse;
    table-layout: fixed;
  }
  th,
  td {
    padding: 0.25rem 0.5rem;
    text-align: start;
  }
  th {
    position: sticky;
    z-index: 1;
    top: 0;
    background: var(--card);
    font-size: 0.85rem;
  }
  tr.line {
    height: 4.5rem;
    border-top: 1px solid var(--line);
  }
  td > div {
    max-height: 4rem;
    overflow: hidden;
    overflow-wrap: anywhere;
  }
  .space td {
    padding: 0;
  }
  td .name {
    /* Two lines: the end of a name tells photos apart. */
    display: -webkit-box;
    flex: 0 1 auto;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 2;
    line-height: 1.3;
    text-align: start;
    white-space: normal;
    overflow-wrap: anywhere;
  }
  td canvas {
    width: 3.25rem;
    height: 3.25rem;
  }
  td button {
    justify-content: start;
    width: 100%;
    height: 4rem;
    padding: 0.25rem;
    overflow: hidden;
  }
  .narrow {
    width: 4.5rem;
  }
  .wide {
    width: 15rem;
  }
  @media (max-width: 40rem) {
    table {
      min-width: 34rem;
    }
    .narrow {
      width: 3rem;
    }
    .wide {
      width: 10.5rem;
    }
  }
  .reading {
    display: grid;
    gap: 0.7rem;
    padding: 0.9rem;
    border: 1px solid var(--line);
    border-radius: 0.75rem;
  }
  .reading canvas {
    width: min(18rem, 100%);
    height: auto;
  }
`;
