/* A virtual NPU: librknnrt.so as far as RKNNLite and drivers/npu/rknn_api.py call it.
 *
 * Written from the documented interface; it computes a simple function of its inputs, so that a
 * test knows the answer, and fails in every way that a test asks for. Its twin for a PC, and the
 * words of the control file, are in virtual_npu.py. A model's body is lines of text:
 *     in|out NAME TYPE FMT ZP SCALE DIM...
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OK = 0, FAIL = -1, PARAM = -5, MODEL = -6, CONTEXT = -7, INPUT = -8 };
enum { FLOAT32, FLOAT16, INT8, UINT8 };
enum { NCHW, NHWC };
enum { MOST = 16, BODY_AT = 64, TEXT = 1024 };

typedef struct {
    uint32_t index, n_dims, dims[16];
    char name[256];
    uint32_t n_elems, size;
    int32_t fmt, type, qnt_type;
    int8_t fl;
    int32_t zp;
    float scale;
    uint32_t w_stride, size_with_stride;
    uint8_t pass_through;
    uint32_t h_stride;
} tensor_attr;

typedef struct {
    uint32_t index;
    void *buf;
    uint32_t size;
    uint8_t pass_through;
    int32_t type, fmt;
} tensor_in;

typedef struct {
    uint8_t want_float, is_prealloc;
    uint32_t index;
    void *buf;
    uint32_t size;
} tensor_out;

typedef struct {
    tensor_attr in[MOST], out[MOST];
    uint32_t n_in, n_out, bytes_in;
    uint8_t *x, *y[MOST];
    int mask;
    long turn;
    char control[TEXT];
} network;

/* ---- the control file ------------------------------------------------------------------- */

static void look(network *net, char *text) {
    const char *path = getenv("VIRTUAL_NPU");
    FILE *file = path ? fopen(path, "r") : NULL;
    size_t n = file ? fread(text, 1, TEXT - 1, file) : 0;
    text[n] = 0;
    if (file) fclose(file);
    if (net && strcmp(text, net->control)) {
        strcpy(net->control, text);
        net->turn = 0;
    }
}

static int word(const char *text, const char *name, char *value, size_t size) {
    size_t length = strlen(name);
    for (const char *line = text; line && *line; line = strchr(line, '\n'), line += line != NULL) {
        if (!strncmp(line, name, length) && line[length] == ' ') {
            size_t n = strcspn(line + length + 1, "\n");
            snprintf(value, size, "%.*s", (int)n, line + length + 1);
            return 1;
        }
    }
    return 0;
}

static long number(const char *text, const char *name, long otherwise) {
    char value[64];
    return word(text, name, value, sizeof value) ? atol(value) : otherwise;
}

static int answer(network *net, const char *name) {
    char text[TEXT], said[256];
    look(net, text);
    int code = (int)number(text, name, OK);
    if (code && word(text, "say", said, sizeof said)) fprintf(stderr, "%s\n", said);
    return code;
}

/* As long as the control file says, and until it says otherwise. */
static void wait_while(const char *name) {
    char again[TEXT];
    look(NULL, again);
    for (long left_ms = number(again, name, 0); left_ms > 0; left_ms -= 5) {
        usleep(5000);
        look(NULL, again);
        if (!number(again, name, 0)) return;
    }
}

/* ---- loading ---------------------------------------------------------------------------- */

static int line_of(network *net, char *line) {
    char side[8], name[64], *rest;
    int type, fmt, zp, used;
    float scale;
    if (sscanf(line, "%7s %63s %d %d %d %f%n", side, name, &type, &fmt, &zp, &scale, &used) != 6)
        return MODEL;
    int is_in = !strcmp(side, "in");
    uint32_t *count = is_in ? &net->n_in : &net->n_out;
    if (*count == MOST) return MODEL;
    tensor_attr *a = &(is_in ? net->in : net->out)[*count];
    a->index = (*count)++;
    snprintf(a->name, sizeof a->name, "%s", name);
    a->type = type, a->fmt = fmt, a->zp = zp, a->scale = scale;
    a->qnt_type = type == INT8 || type == UINT8 ? 2 : 0;
    a->n_elems = 1;
    for (rest = line + used; a->n_dims < 16; a->n_elems *= a->dims[a->n_dims++]) {
        char *end;
        long dim = strtol(rest, &end, 10);
        if (end == rest) break;
        a->dims[a->n_dims] = (uint32_t)dim, rest = end;
    }
    a->size = a->size_with_stride = a->n_elems * (type == FLOAT32 ? 4 : type == FLOAT16 ? 2 : 1);
    if (is_in) net->bytes_in += a->n_elems * (a->qnt_type ? 1 : 4);
    else net->y[a->index] = calloc(1, a->n_elems);
    return OK;
}

int rknn_init(uint64_t *context, void *model, uint32_t size, uint32_t flags, void *extend) {
    (void)flags, (void)extend;
    int code = answer(NULL, "init");
    if (code) return code;
    wait_while("init_ms");
    uint64_t length = 0;
    if (size < BODY_AT || memcmp(model, "RKNN", 4)) return MODEL;
    memcpy(&length, (char *)model + 16, 8);
    if (length > size - BODY_AT) return MODEL;
    network *net = calloc(1, sizeof *net);
    char *body = strndup((char *)model + BODY_AT, length), *keep;
    for (char *l = strtok_r(body, "\n", &keep); l && !code; l = strtok_r(NULL, "\n", &keep))
        code = line_of(net, l);
    free(body);
    if (code || !net->n_in || !net->n_out) return MODEL;
    net->x = calloc(1, net->bytes_in);
    *context = (uint64_t)(uintptr_t)net;
    return OK;
}

int rknn_destroy(uint64_t context) {
    network *net = (network *)(uintptr_t)context;
    if (!net) return CONTEXT;
    for (uint32_t i = 0; i < net->n_out; i++) free(net->y[i]);
    free(net->x);
    free(net);
    return OK;
}

int rknn_query(uint64_t context, int command, void *info, uint32_t size) {
    network *net = (network *)(uintptr_t)context;
    int code = answer(net, "query");
    if (code) return code;
    if (command == 0 && size == 8) {
        uint32_t counts[2] = {net->n_in, net->n_out};
        memcpy(info, counts, sizeof counts);
    } else if ((command == 1 || command == 2) && size == sizeof(tensor_attr)) {
        uint32_t index = ((tensor_attr *)info)->index;
        if (index >= (command == 1 ? net->n_in : net->n_out)) return PARAM;
        memcpy(info, &(command == 1 ? net->in : net->out)[index], size);
    } else if (command == 5 && size == 512) {
        char text[TEXT];
        look(net, text);
        memset(info, 0, size);
        if (!word(text, "runtime", info, 256)) strcpy(info, "2.3.2 (virtual@2026-01-01T00:00:00)");
        if (!word(text, "driver", (char *)info + 256, 256)) strcpy((char *)info + 256, "0.9.8");
    } else {
        return PARAM;
    }
    return OK;
}

int rknn_set_core_mask(uint64_t context, int mask) {
    network *net = (network *)(uintptr_t)context;
    int code = answer(net, "mask");
    if (!code) net->mask = mask;
    return code;
}

/* ---- a frame ---------------------------------------------------------------------------- */

int rknn_inputs_set(uint64_t context, uint32_t n, tensor_in *inputs) {
    network *net = (network *)(uintptr_t)context;
    int code = answer(net, "set");
    if (code) return code;
    uint8_t *x = net->x;
    if (n != net->n_in) return INPUT;
    for (uint32_t i = 0; i < n; i++) {
        tensor_attr *a = &net->in[i];
        if (inputs[i].fmt != (a->n_dims == 4 ? NHWC : a->fmt)) return INPUT;
        if (inputs[i].type == UINT8 && a->qnt_type && inputs[i].size == a->n_elems) {
            memcpy(x, inputs[i].buf, a->n_elems);
            x += a->n_elems;
        } else if (inputs[i].type == FLOAT32 && inputs[i].size == 4 * a->n_elems) {
            const float *values = inputs[i].buf;
            if (!a->qnt_type) memcpy(x, values, 4 * a->n_elems), x += 4 * a->n_elems;
            else
                for (uint32_t k = 0; k < a->n_elems; k++)
                    *x++ = (uint8_t)(lrintf(values[k] / a->scale) + a->zp + (a->type == INT8 ? 128 : 0));
        } else {
            return INPUT;
        }
    }
    return OK;
}

int rknn_run(uint64_t context, void *extend) {
    (void)extend;
    network *net = (network *)(uintptr_t)context;
    int code = answer(net, "run");
    const char *text = net->control;
    int here = net->mask == number(text, "core", net->mask);
    if (here) wait_while("hang_ms");
    if (code && here) return code;
    long turn = here ? net->turn++ : MOST;
    char repeats[MOST + 1] = "";
    if (here && word(text, "repeats", repeats, sizeof repeats))
        if (repeats[0] == '*' || (turn < (long)strlen(repeats) && repeats[turn] == 'y')) return OK;
    uint32_t n = net->bytes_in;
    uint8_t off = here ? (uint8_t)(number(text, "off", 0) + turn * number(text, "drift", 0)) : 0;
    for (uint32_t o = 0; o < net->n_out; o++)
        for (uint32_t k = 0; k < net->out[o].n_elems; k++) {
            uint8_t near = net->x[(k * 7 + o * 13) % n], far = net->x[(k * 3 + 5) % n];
            net->y[o][k] = (uint8_t)((near ^ (k * 31)) + (far >> 1) + off);
        }
    return OK;
}

static void fill(tensor_attr *a, const uint8_t *y, tensor_out *out, int is_nan) {
    for (uint32_t k = 0; k < a->n_elems; k++) {
        int stored = a->type == UINT8 ? y[k] : (int8_t)y[k];
        float real = a->qnt_type ? (float)(stored - a->zp) * a->scale : (float)stored / 64;
        if (out->want_float) ((float *)out->buf)[k] = is_nan && k == a->n_elems / 2 ? NAN : real;
        else ((uint8_t *)out->buf)[k] = y[k];
    }
}

int rknn_outputs_get(uint64_t context, uint32_t n, tensor_out *outputs, void *extend) {
    (void)extend;
    network *net = (network *)(uintptr_t)context;
    int code = answer(net, "get");
    if (code) return code;
    if (number(net->control, "unwritten", 0)) return OK;
    for (uint32_t i = 0; i < n; i++) {
        tensor_attr *a = &net->out[i];
        uint32_t size = a->n_elems * (outputs[i].want_float ? 4 : 1);
        int is_own = !outputs[i].is_prealloc || number(net->control, "foreign", 0);
        if (is_own) outputs[i].buf = malloc(size), outputs[i].size = size;
        else if (outputs[i].size < size) return PARAM;
        fill(a, net->y[i], &outputs[i], (int)number(net->control, "nan", 0));
    }
    return OK;
}

int rknn_outputs_release(uint64_t context, uint32_t n, tensor_out *outputs) {
    network *net = (network *)(uintptr_t)context;
    for (uint32_t i = 0; i < n; i++)
        if (!outputs[i].is_prealloc) free(outputs[i].buf);
    return answer(net, "release");
}

int rknn_set_input_shapes(uint64_t context, uint32_t n, tensor_attr *attributes) {
    (void)context, (void)n, (void)attributes;
    return OK;
}
