export { EventCard } from "./EventCard.tsx";
export { Preview } from "./Preview.tsx";
