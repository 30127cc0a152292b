// What a strict application with React 19 compiles.
import 'dermlet/element';

export const fine = (
  <dermlet-classifier model="skin-8" backend="wasm" wholePage ondermlet-error={({ detail }) => detail.error.code} />
);
// @ts-expect-error: no such backend
export const wrong = <dermlet-classifier backend="webgl" />;
// @ts-expect-error: a result is no string
export const mistaken = <dermlet-classifier ondermlet-result={(event: CustomEvent<string>) => event.detail} />;
