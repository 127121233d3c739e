/* The filters as most people would write them in C: the rival of filters_by_taps.py.
   z holds m - 1 zeros and then the signal; the window of sample k is z[k .. k + m), oldest first. */
#include <math.h>
#include <string.h>

void lms(const double *z, const double *d, double *w, double *y, long n, long m, double mu)
{
    for (long k = 0; k < n; k++) {
        double s = 0;
        for (long i = 0; i < m; i++) s += w[i] * z[k + i];
        y[k] = s;
        double g = mu * (d[k] - s);
        for (long i = 0; i < m; i++) w[i] += g * z[k + i];
    }
}

void nlms(const double *z, const double *d, double *w, double *y, long n, long m, double mu,
          double epsilon)
{
    for (long k = 0; k < n; k++) {
        double s = 0, p = 0;
        for (long i = 0; i < m; i++) {
            s += w[i] * z[k + i];
            p += z[k + i] * z[k + i];
        }
        y[k] = s;
        double g = mu * (d[k] - s) / (epsilon + p);
        for (long i = 0; i < m; i++) w[i] += g * z[k + i];
    }
}

/* P (m x m) in full, q (m) scratch. */
void rls(const double *z, const double *d, double *w, double *P, double *q, double *y, long n,
         long m, double lambda)
{
    for (long k = 0; k < n; k++) {
        const double *x = z + k;
        double r = lambda, s = 0;
        for (long i = 0; i < m; i++) {
            double a = 0;
            for (long j = 0; j < m; j++) a += P[i * m + j] * x[j];
            q[i] = a;
        }
        for (long i = 0; i < m; i++) {
            r += x[i] * q[i];
            s += w[i] * x[i];
        }
        y[k] = s;
        double e = d[k] - s;
        for (long i = 0; i < m; i++) w[i] += e * q[i] / r;
        for (long i = 0; i < m; i++)
            for (long j = 0; j < m; j++)
                P[i * m + j] = (P[i * m + j] - q[i] * q[j] / r) / lambda;
    }
}

/* z has order - 1 zeros more in front. */
void affine_projection(const double *z, const double *d, double *w, double *y, long n, long m,
                       long order, double mu, double epsilon)
{
    double A[32][32], v[32];
    for (long k = 0; k < n; k++) {
        const double *newest = z + k + order - 1;
        for (long a = 0; a < order; a++) {
            double s = 0;
            for (long i = 0; i < m; i++) s += w[i] * newest[i - a];
            v[a] = (k >= a ? d[k - a] : 0) - s;
            if (a == 0) y[k] = s;
            for (long b = 0; b <= a; b++) {
                double t = 0;
                for (long i = 0; i < m; i++) t += newest[i - a] * newest[i - b];
                A[a][b] = t + (a == b ? epsilon : 0);
            }
        }
        for (long j = 0; j < order; j++) {
            for (long p = 0; p < j; p++) A[j][j] -= A[j][p] * A[j][p];
            A[j][j] = sqrt(A[j][j]);
            for (long i = j + 1; i < order; i++) {
                for (long p = 0; p < j; p++) A[i][j] -= A[i][p] * A[j][p];
                A[i][j] /= A[j][j];
            }
        }
        for (long i = 0; i < order; i++) {
            for (long p = 0; p < i; p++) v[i] -= A[i][p] * v[p];
            v[i] /= A[i][i];
        }
        for (long i = order - 1; i >= 0; i--) {
            for (long p = i + 1; p < order; p++) v[i] -= A[p][i] * v[p];
            v[i] /= A[i][i];
        }
        for (long a = 0; a < order; a++)
            for (long i = 0; i < m; i++) w[i] += mu * v[a] * newest[i - a];
    }
}
