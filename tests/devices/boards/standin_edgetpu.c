/* A stand-in for libedgetpu: takes every edgetpu-custom-op and answers with zeros;
   with -DOPERATOR='"ethos-u"' for a delegate of that chip.

   Built by the tests, so that the whole way from a Coral's device string to an
   inference is walked without one. The structures are the heads of those in
   TensorFlow Lite's public C header (core/c/common.h), as far as they are needed. */
#ifndef OPERATOR
#define OPERATOR "edgetpu-custom-op"
#endif
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct { int size; int data[]; } IntArray;
typedef struct { /* 112 bytes: the array's stride must be right */
  int type; void* data; IntArray* dims; float scale; int32_t zero_point;
  int allocation; size_t bytes; void* source; const char* name; void* delegate;
  int handle; char stale, variable; int quantization; void* parameters;
  void* sparsity; void* signature;
} Tensor;
typedef struct { IntArray* inputs; IntArray* outputs; } NodeHead;
typedef struct Context Context;
typedef struct {
  void* (*init)(Context*, const char*, size_t);
  void (*free)(Context*, void*);
  int (*prepare)(Context*, NodeHead*);
  int (*invoke)(Context*, NodeHead*);
  const char* (*profiling)(const Context*, const NodeHead*);
  int32_t builtin_code;
  const char* custom_name;
  int version;
  void* later[4];
} Registration;
typedef struct Delegate Delegate;
struct Context {
  size_t tensors_size;
  int (*plan)(Context*, IntArray**);
  Tensor* tensors;
  void* impl;
  void* resize;
  void* report;
  void* add;
  int (*node)(Context*, int, NodeHead**, Registration**);
  int (*replace)(Context*, Registration, const IntArray*, Delegate*);
};
struct Delegate {
  void* data;
  int (*prepare)(Context*, Delegate*);
  void* unused[3];
  int64_t flags;
  void* later[2];
};

/* "scratch" and "scratch_fast" of an ethos-u are memory that no operator writes: the
   interpreter gives them none, their delegate must */
static int ready(Context* context, NodeHead* node) {
  for (int i = 0; i < node->inputs->size; i++) {
    Tensor* tensor = &context->tensors[node->inputs->data[i]];
    if (!tensor->data && tensor->name && !strncmp(tensor->name, "scratch", 7)) {
      tensor->data = calloc(1, tensor->bytes + 1);
      tensor->allocation = 6; /* custom: not the interpreter's own */
    }
  }
  return 0;
}

static int zeros(Context* context, NodeHead* node) {
  for (int i = 0; i < node->outputs->size; i++) {
    Tensor* tensor = &context->tensors[node->outputs->data[i]];
    size_t count = 1;
    for (int k = 0; k < tensor->dims->size; k++) count *= tensor->dims->data[k];
    /* another layout than the one above would show here: fail, do not scribble */
    if (tensor->bytes % count || tensor->bytes / count > 8) return 1;
    memset(tensor->data, 0, tensor->bytes);
  }
  return 0;
}

static int take(Context* context, Delegate* delegate) {
  IntArray* plan;
  if (context->plan(context, &plan)) return 1;
  IntArray* mine = calloc(1, sizeof(IntArray) + plan->size * sizeof(int));
  for (int i = 0; i < plan->size; i++) {
    NodeHead* node;
    Registration* registration;
    if (context->node(context, plan->data[i], &node, &registration)) return 1;
    const char* name = registration->custom_name;
    if (name && !strcmp(name, OPERATOR))
      mine->data[mine->size++] = plan->data[i];
  }
  Registration kernel = {0};
  kernel.prepare = ready;
  kernel.invoke = zeros;
  kernel.custom_name = "StandIn";
  kernel.version = 1;
  int status = context->replace(context, kernel, mine, delegate);
  free(mine);
  return status;
}

Delegate* tflite_plugin_create_delegate(char** keys, char** values, size_t count,
                                        void (*report)(const char*)) {
  if (getenv("STANDIN_REFUSES")) {
    report("no device of this kind");
    return NULL;
  }
  Delegate* delegate = calloc(1, sizeof(Delegate));
  delegate->prepare = take;
  delegate->flags = 1; /* dynamic tensors allowed: nothing is prepared before `take` */
  return delegate;
}

void tflite_plugin_destroy_delegate(Delegate* delegate) { free(delegate); }
