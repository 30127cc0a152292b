/** `<dermlet-classifier>` in React 19's JSX. Takes effect only if React's types are installed. */
import type { DermletClassifierElement, DermletClassifierEvents, DermletClassifierProperties } from './public.js';

type Listeners = {
  [Type in keyof DermletClassifierEvents as `on${Type}`]?: (event: DermletClassifierEvents[Type]) => void;
};

// @ts-ignore: there may be no React
declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      // @ts-ignore: as above
      'dermlet-classifier': DetailedHTMLProps<HTMLAttributes<DermletClassifierElement>, DermletClassifierElement> &
        Partial<DermletClassifierProperties> &
        Listeners;
    }
  }
}
