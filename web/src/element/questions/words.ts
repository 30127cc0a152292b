/** The words of each answer, country and tier; each key stands here in full, so that none is lost. */
import type { Tier } from '../../classifier/index.js';
import { say } from '../../messages/questions.js';
import type { Age, Place, Reason, Sign } from './advice.js';
import type { Region } from './countries.js';

type Words<Key extends string> = Readonly<Record<Key, () => string>>;

const ASK: Words<Sign> = {
  new: () => say('questions.ask.new'),
  size: () => say('questions.ask.size'),
  shape: () => say('questions.ask.shape'),
  colour: () => say('questions.ask.colour'),
  wide: () => say('questions.ask.wide'),
  inflamed: () => say('questions.ask.inflamed'),
  bleeds: () => say('questions.ask.bleeds'),
  itches: () => say('questions.ask.itches'),
  unhealed: () => say('questions.ask.unhealed'),
  lump: () => say('questions.ask.lump'),
  earlier: () => say('questions.ask.earlier'),
  immune: () => say('questions.ask.immune'),
};

const SAID: Words<Reason> = {
  new: () => say('questions.said.new'),
  size: () => say('questions.said.size'),
  shape: () => say('questions.said.shape'),
  colour: () => say('questions.said.colour'),
  wide: () => say('questions.said.wide'),
  inflamed: () => say('questions.said.inflamed'),
  bleeds: () => say('questions.said.bleeds'),
  itches: () => say('questions.said.itches'),
  unhealed: () => say('questions.said.unhealed'),
  lump: () => say('questions.said.lump'),
  earlier: () => say('questions.said.earlier'),
  immune: () => say('questions.said.immune'),
  from50: () => say('questions.said.from50'),
  head: () => say('questions.said.head'),
  hands: () => say('questions.said.hands'),
  nail: () => say('questions.said.nail'),
  genitals: () => say('questions.said.genitals'),
};

const AGE: Words<Age> = {
  under50: () => say('questions.age.under50'),
  from50: () => say('questions.age.from50'),
};

const PLACE: Words<Place> = {
  head: () => say('questions.place.head'),
  trunk: () => say('questions.place.trunk'),
  limbs: () => say('questions.place.limbs'),
  hands: () => say('questions.place.hands'),
  nail: () => say('questions.place.nail'),
  genitals: () => say('questions.place.genitals'),
};

const FIRST: Words<Region> = {
  GB: () => say('questions.first.GB'),
  IE: () => say('questions.first.IE'),
  US: () => say('questions.first.US'),
  CA: () => say('questions.first.CA'),
  AU: () => say('questions.first.AU'),
  NZ: () => say('questions.first.NZ'),
  DE: () => say('questions.first.DE'),
  AT: () => say('questions.first.AT'),
  CH: () => say('questions.first.CH'),
  FR: () => say('questions.first.FR'),
  ES: () => say('questions.first.ES'),
  other: () => say('questions.first.other'),
};

/** Only services that are well known. */
const PHONE: Partial<Words<Region>> = {
  GB: () => say('questions.phone.GB'),
  CA: () => say('questions.phone.CA'),
  AU: () => say('questions.phone.AU'),
  NZ: () => say('questions.phone.NZ'),
  DE: () => say('questions.phone.DE'),
  AT: () => say('questions.phone.AT'),
};

const SOON: Words<Tier> = {
  high: () => say('questions.soon.high'),
  moderate: () => say('questions.soon.moderate'),
  low: () => say('questions.soon.low'),
  unknown: () => say('questions.soon.unknown'),
};

export const askWords = (sign: Sign): string => ASK[sign]();
/** Goes on from 'you said that'. */
export const saidWords = (reason: Reason): string => SAID[reason]();
export const ageWords = (age: Age): string => AGE[age]();
export const placeWords = (place: Place): string => PLACE[place]();
/** Whom to see first. */
export const firstWords = (region: Region): string => FIRST[region]();
/** Empty where there is none. */
export const phoneWords = (region: Region): string => PHONE[region]?.() ?? '';
/** How soon. */
export const soonWords = (tier: Tier): string => SOON[tier]();
