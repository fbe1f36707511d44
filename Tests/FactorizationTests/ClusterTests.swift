import Factorization
import LinearAlgebra
import Testing

@Suite("Three factors")
struct ClusterTests {
    @Test(
        "are the best approximation of the smaller rank, with orthonormal outer factors",
        arguments: [(3, 5), (5, 3), (4, 4), (1, 2)])
    func best(k: Int, l: Int) throws {
        let values = [9.0, 7, 6, 4, 3, 2]
        let matrix = try matrix(30, 24, singularValues: values)
        let factors = try ShardedMatrix(matrix).singularFactors(.rank(max(k, l)))
        let three = try ClusteredFactors(factors, rowCount: k, columnCount: l)
        #expect(three.rowClusters.columns == k && three.columnClusters.rows == l)
        #expect(three.matching.rows == k && three.matching.columns == l)
        let whole = product(product(three.rowClusters, three.matching), three.columnClusters)
        let rest = values.dropFirst(min(k, l)).reduce(0) { $0 + $1 * $1 }
        // Squares below 200, a thousand roundings.
        #expect(abs(squaredDistance(whole, matrix) - rest) < 1e-10)
        let gram = product(three.rowClusters.transposed(), three.rowClusters)
        for row in 0..<k { for column in 0..<k { #expect(abs(gram[row, column] - (row == column ? 1 : 0)) < 1e-12) } }
        let other = product(three.columnClusters, three.columnClusters.transposed())
        for row in 0..<l { for column in 0..<l { #expect(abs(other[row, column] - (row == column ? 1 : 0)) < 1e-12) } }
    }

    @Test("find blocks that were planted, and how they match")
    func planted() throws {
        // Rows in 3 groups, columns in 3, each group of rows with one of columns, and a little of everything.
        let noise = randomMatrix(30, 18)
        let matrix = DoubleMatrix(rows: 30, columns: 18)
        for row in 0..<30 {
            for column in 0..<18 {
                matrix[row, column] = (row % 3 == (column + 1) % 3 ? 5 : 0) + 0.3 * noise[row, column]
            }
        }
        let three = try ClusteredFactors(
            try ShardedMatrix(matrix).singularFactors(.rank(3)), rowCount: 3, columnCount: 3)
        let (rows, columns) = (three.clusterOfRow, three.clusterOfColumn)
        for row in 3..<30 { #expect(rows[row] == rows[row % 3]) }
        for column in 3..<18 { #expect(columns[column] == columns[column % 3]) }
        #expect(Set(rows.prefix(3)).count == 3 && Set(columns.prefix(3)).count == 3)
        for group in 0..<3 {
            let match = three.matching.row(rows[group])
            let partner = columns[(group + 2) % 3]
            #expect(match.indices.allSatisfy { $0 == partner || abs(match[$0]) < 0.2 * abs(match[partner]) })
        }
    }
}
