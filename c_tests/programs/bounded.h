/* A bounded buffer of descriptors between producers and consumers, out of three semaphores. */
#ifndef BOUNDED_H
#define BOUNDED_H

#include "csapp.h"

#define SLOTS 4

struct bounded {
    int items[SLOTS];
    unsigned first, last;
    sem_t mutex, free_slots, used_slots;
};

static inline void bounded_init(struct bounded *b)
{
    b->first = b->last = 0;
    Sem_init(&b->mutex, 0, 1);
    Sem_init(&b->free_slots, 0, SLOTS);
    Sem_init(&b->used_slots, 0, 0);
}

static inline void bounded_put(struct bounded *b, int item)
{
    P(&b->free_slots);
    P(&b->mutex);
    b->items[b->last++ % SLOTS] = item;
    V(&b->mutex);
    V(&b->used_slots);
}

static inline int bounded_take(struct bounded *b)
{
    int item;

    P(&b->used_slots);
    P(&b->mutex);
    item = b->items[b->first++ % SLOTS];
    V(&b->mutex);
    V(&b->free_slots);
    return item;
}

#endif
