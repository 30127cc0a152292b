export function figure(text: string): void;
